{
  "targets": [
    {
      "target_name": "slice_guard",
      "sources": ["slice-guard.cc"],
      "cflags_cc": ["-O2", "-Wall", "-Wextra", "-Wno-cast-function-type", "-Wno-unused-parameter"],
      "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["/std:c++20"] } }
    }
  ]
}
