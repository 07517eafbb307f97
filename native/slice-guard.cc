// Runs JavaScript so that another thread can have it cut off, and nothing but it. See README.md.
//
// The other thread never terminates anything. It leaves a request and asks V8 to interrupt the thread; the request is
// carried out by the thread itself, at its next stack check, where nothing can have moved on in between:
//
//     watchdog thread                  thread under guard
//     ───────────────                  ──────────────────
//     reads the marks: work 7 on       run(body): level 0, work 7
//       level 0 has not moved            body() … for (;;) …
//     request = cut (level 0, work 7)
//     RequestInterrupt ──────────────▶   stack check: interrupted()
//                                          level 0 is the top, work 7 still, this frame may be cut:
//                                          TerminateExecution, on its own thread, within the guard
//                                        next stack check: V8 unwinds all JavaScript up to
//                                      run: TryCatch, CancelTerminateExecution, returns true
#include <node.h>
#include <v8-version.h>
#include <v8.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace {

using v8::Array;
using v8::ArrayBuffer;
using v8::BackingStore;
using v8::Context;
using v8::Exception;
using v8::External;
using v8::Function;
using v8::FunctionCallbackInfo;
using v8::HandleScope;
using v8::Int32Array;
using v8::Isolate;
using v8::Local;
using v8::Number;
using v8::Object;
using v8::StackFrame;
using v8::StackTrace;
using v8::String;
using v8::TryCatch;
using v8::Value;

// The layout of the marks; src/schedulers/guard-marks.ts has the same.
enum Mark {
  // Guarded calls on the stack.
  kDepth = 0,
  // Interrupts that came through.
  kAnswered = 1,
  // Requests to cut that were refused, because what ran must not be cut just there.
  kRefused = 2,
  kCuts = 3,
  // From here on, for each level: the number of the work that runs there.
  kLevels = 8,
};
constexpr int kLevelsMax = 56;
constexpr int kMarks = kLevels + kLevelsMax;

// The layout of the two private words; src/actors/cut.ts has the same.
enum Word {
  // What runs is being cut off: the core must begin nothing that it could not finish.
  kCutting = 0,
  // A sample was taken and waits to be fetched.
  kSampled = 1,
};
constexpr int kWords = 2;

enum Kind {
  kNothing = 0,
  // Only count that it came through.
  kProbe = 1,
  // Note the stack; of whatever runs, for the other thread, if the level is kAnyLevel.
  kSample = 2,
  kCut = 3,
  // Call the function given for the end of the thread, whatever runs.
  kEnd = 4,
};

constexpr int kFramesMax = 32;
constexpr int kScopeFramesMax = 100;
constexpr int32_t kAnyLevel = 0xffffff;
// src/schedulers/native-guard.ts expects it: to be raised with every change that the two sides must make together.
constexpr int kVersion = 2;

double nowMs() {
  using namespace std::chrono;
  return duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
}

struct Guard {
  Isolate* isolate = nullptr;
  int32_t id = 0;
  std::shared_ptr<BackingStore> marksStore;
  std::shared_ptr<BackingStore> wordsStore;
  int32_t* marks = nullptr;
  int32_t* words = nullptr;
  // Beginnings of the names of scripts that are not cut while one of their functions is on top.
  std::vector<std::string> uncuttable;
  // Likewise, but code that has just called one of these may be cut: they look at words[kCutting] before they do anything.
  std::string core;
  v8::Global<Function> end;

  // Written by the other thread, taken by the interrupt. A later one replaces an earlier one.
  std::atomic<uint64_t> request{0};
  // V8 has an interrupt of ours in its queue, or it is being carried out. One at a time: V8 would carry out those that
  // come meanwhile at the same stack check, and whoever asks fast enough would keep the thread there for ever.
  std::atomic<bool> queued{false};
  std::atomic<double> requestRanMs{0};

  // The rest belongs to the thread under guard.
  bool cut = false;
  int32_t cutLevel = 0;
  double cutRanMs = 0;
  std::vector<std::string> cutStack;
  int32_t sampleLevel = -1;
  int32_t sampleWork = 0;
  double sampleRanMs = 0;
  double sampledAt = 0;
  std::vector<std::string> sampleStack;

  // For the other thread, under registryMutex.
  bool hasLooseStack = false;
  std::vector<std::string> looseStack;
};

// A guard belongs to the thread that attached it; others find it by its number, as long as it is there.
thread_local Guard* attached = nullptr;
std::mutex registryMutex;
std::unordered_map<int32_t, std::shared_ptr<Guard>> registry;
int32_t lastId = 0;

// Other threads read the marks with Atomics; here they are only ever written by one thread.
inline int32_t readMark(const Guard* guard, int index) {
  return __atomic_load_n(&guard->marks[index], __ATOMIC_RELAXED);
}

inline void writeMark(Guard* guard, int index, int32_t value) {
  __atomic_store_n(&guard->marks[index], value, __ATOMIC_RELAXED);
}

uint64_t packRequest(int kind, int32_t level, int32_t work) {
  return (static_cast<uint64_t>(kind) << 56) | (static_cast<uint64_t>(level & 0xffffff) << 32) |
         static_cast<uint32_t>(work);
}

std::string utf8(Isolate* isolate, Local<Value> value) {
  String::Utf8Value text(isolate, value);
  return *text == nullptr ? std::string() : std::string(*text, text.length());
}

std::string scriptOf(Isolate* isolate, Local<StackFrame> frame) {
  Local<String> name = frame->GetScriptNameOrSourceURL();
  return name.IsEmpty() ? std::string() : utf8(isolate, name);
}

// The stack as Error.stack has it, topmost frame first.
std::vector<std::string> describe(Isolate* isolate, Local<StackTrace> trace) {
  std::vector<std::string> lines;
  for (int at = 0; at < trace->GetFrameCount(); at++) {
    Local<StackFrame> frame = trace->GetFrame(isolate, at);
    std::string name;
    if (!frame->GetFunctionName().IsEmpty()) name = utf8(isolate, frame->GetFunctionName());
    std::string place = scriptOf(isolate, frame) + ":" + std::to_string(frame->GetLineNumber()) + ":" +
                        std::to_string(frame->GetColumn());
    lines.push_back(name.empty() ? "at " + place : "at " + name + " (" + place + ")");
  }
  return lines;
}

void throwError(Isolate* isolate, const char* message) {
  isolate->ThrowException(Exception::Error(String::NewFromUtf8(isolate, message).ToLocalChecked()));
}

bool toStack(Isolate* isolate, const std::vector<std::string>& lines, Local<Array>* stack) {
  Local<Context> context = isolate->GetCurrentContext();
  *stack = Array::New(isolate, static_cast<int>(lines.size()));
  for (size_t at = 0; at < lines.size(); at++) {
    Local<String> line;
    if (!String::NewFromUtf8(isolate, lines[at].c_str()).ToLocal(&line)) return false;
    if ((*stack)->Set(context, static_cast<uint32_t>(at), line).IsNothing()) return false;
  }
  return true;
}

bool isUncuttable(const Guard* guard, const std::string& script) {
  for (const std::string& beginning : guard->uncuttable) {
    if (script.compare(0, beginning.size(), beginning) == 0) return true;
  }
  return false;
}

// Not while one of the functions is on top that must come to their end. Nor from within Node's runInAsyncScope: it would
// not take its entry off the stack of asynchronous contexts, and Node ends the process when it finds that too deep.
bool mayBeCut(const Guard* guard, Isolate* isolate) {
  Local<StackTrace> trace = StackTrace::CurrentStackTrace(isolate, kScopeFramesMax, StackTrace::kDetailed);
  const int frames = trace->GetFrameCount();
  if (frames == 0) return false;
  int at = 0;
  // A function of the core that was called by what is to be cut off stands at its beginning: its stack check is there.
  if (scriptOf(isolate, trace->GetFrame(isolate, 0)).compare(0, guard->core.size(), guard->core) == 0) at = 1;
  if (at == frames || isUncuttable(guard, scriptOf(isolate, trace->GetFrame(isolate, at)))) return false;
  // As far down as the first frame of what called the code that is to be cut off.
  for (at++; at < frames; at++) {
    Local<StackFrame> frame = trace->GetFrame(isolate, at);
    const std::string script = scriptOf(isolate, frame);
    if (script.compare(0, 5, "node:") == 0) {
      if (!frame->GetFunctionName().IsEmpty() && utf8(isolate, frame->GetFunctionName()) == "runInAsyncScope") {
        return false;
      }
    } else if (isUncuttable(guard, script)) {
      break;
    }
  }
  return true;
}

// On the thread under guard, at one of its stack checks.
void interrupted(Isolate* isolate, void*) {
  Guard* guard = attached;
  if (guard == nullptr || guard->isolate != isolate) return;
  struct Done {
    Guard* guard;
    ~Done() { guard->queued.store(false, std::memory_order_release); }
  } done{guard};
  const uint64_t request = guard->request.exchange(0, std::memory_order_acq_rel);
  if (request == 0) return;
  const int kind = static_cast<int>(request >> 56);
  const int32_t level = static_cast<int32_t>((request >> 32) & 0xffffff);
  const int32_t work = static_cast<int32_t>(request & 0xffffffff);
  writeMark(guard, kAnswered, readMark(guard, kAnswered) + 1);
  if (kind == kProbe || guard->cut) return;
  HandleScope scope(isolate);
  if (kind == kEnd) {
    Local<Function> end = guard->end.Get(isolate);
    Local<Context> context = isolate->GetCurrentContext();
    if (end.IsEmpty() || context.IsEmpty()) return;
    Local<StackTrace> trace = StackTrace::CurrentStackTrace(isolate, kFramesMax, StackTrace::kDetailed);
    Local<Array> stack;
    if (!toStack(isolate, describe(isolate, trace), &stack)) return;
    Local<Value> argument = stack;
    TryCatch caught(isolate);
    (void)end->Call(context, v8::Undefined(isolate), 1, &argument).IsEmpty();
    // Ending the thread terminates it: that must go on unwinding what was interrupted.
    if (caught.HasTerminated()) isolate->TerminateExecution();
    return;
  }
  if (kind == kSample && level == kAnyLevel) {
    Local<StackTrace> trace = StackTrace::CurrentStackTrace(isolate, kFramesMax, StackTrace::kDetailed);
    std::vector<std::string> lines = describe(isolate, trace);
    std::lock_guard<std::mutex> lock(registryMutex);
    guard->looseStack = std::move(lines);
    guard->hasLooseStack = true;
    return;
  }
  // It has moved on meanwhile.
  if (level >= kLevelsMax || readMark(guard, kDepth) <= level || readMark(guard, kLevels + level) != work) return;
  const double ranMs = guard->requestRanMs.load(std::memory_order_relaxed);
  if (kind == kSample) {
    guard->sampleLevel = level;
    guard->sampleWork = work;
    guard->sampleRanMs = ranMs;
    guard->sampledAt = nowMs();
    guard->sampleStack =
        describe(isolate, StackTrace::CurrentStackTrace(isolate, kFramesMax, StackTrace::kDetailed));
    guard->words[kSampled] = 1;
    return;
  }
  // Something else runs on top of it at this moment, or its top is where a cut would leave something half done.
  if (readMark(guard, kDepth) != level + 1 || !mayBeCut(guard, isolate)) {
    writeMark(guard, kRefused, readMark(guard, kRefused) + 1);
    return;
  }
  guard->cut = true;
  guard->cutLevel = level;
  guard->cutRanMs = ranMs;
  guard->cutStack =
      describe(isolate, StackTrace::CurrentStackTrace(isolate, kFramesMax, StackTrace::kDetailed));
  guard->words[kCutting] = 1;
  isolate->TerminateExecution();
}

// run(body, a, b, c): calls body(a, b, c); true if it was cut off.
void run(const FunctionCallbackInfo<Value>& info) {
  Guard* guard = static_cast<Guard*>(info.Data().As<External>()->Value());
  Isolate* isolate = guard->isolate;
  if (!info[0]->IsFunction()) return throwError(isolate, "run takes a function");
  const int32_t level = readMark(guard, kDepth);
  if (level < kLevelsMax) {
    const int index = kLevels + level;
    writeMark(guard, index, static_cast<int32_t>(static_cast<uint32_t>(readMark(guard, index)) + 1));
  }
  writeMark(guard, kDepth, level + 1);
  Local<Value> arguments[3] = {info[1], info[2], info[3]};
  TryCatch caught(isolate);
  const bool failed = info[0]
                          .As<Function>()
                          ->Call(isolate->GetCurrentContext(), v8::Undefined(isolate), 3, arguments)
                          .IsEmpty();
  // Asked before it is cancelled: that makes the handler forget it.
  const bool terminated = failed && caught.HasTerminated();
  writeMark(guard, kDepth, level);
  if (guard->cut && guard->cutLevel == level) {
    // Whether it was unwound or came to its end in this very moment: from here on nothing is terminated any more.
    isolate->CancelTerminateExecution();
    guard->cut = false;
    guard->words[kCutting] = 0;
    if (terminated) {
      caught.Reset();
      guard->words[kSampled] = 0;
      guard->sampleLevel = -1;
      writeMark(guard, kCuts, readMark(guard, kCuts) + 1);
      info.GetReturnValue().Set(true);
      return;
    }
    guard->cutStack.clear();
  }
  // A sample of something deeper was not fetched there: too late.
  if (guard->sampleLevel > level) {
    guard->sampleLevel = -1;
    guard->words[kSampled] = 0;
  }
  if (failed) {
    // An error is the caller's; a termination by somebody else (the thread is to end) unwinds further by itself.
    if (!terminated) caught.ReThrow();
    return;
  }
  info.GetReturnValue().Set(false);
}

// takeCut(): [ranMs, stack] of the last cut.
void takeCut(const FunctionCallbackInfo<Value>& info) {
  Guard* guard = static_cast<Guard*>(info.Data().As<External>()->Value());
  Isolate* isolate = guard->isolate;
  Local<Array> stack;
  if (!toStack(isolate, guard->cutStack, &stack)) return;
  guard->cutStack.clear();
  Local<Value> pair[2] = {Number::New(isolate, guard->cutRanMs), stack};
  info.GetReturnValue().Set(Array::New(isolate, pair, 2));
}

// takeSample(level): [ranMs, stack] if the work that has just ended on this level was sampled, else null.
void takeSample(const FunctionCallbackInfo<Value>& info) {
  Guard* guard = static_cast<Guard*>(info.Data().As<External>()->Value());
  Isolate* isolate = guard->isolate;
  info.GetReturnValue().SetNull();
  if (!info[0]->IsInt32() || guard->sampleLevel != info[0].As<v8::Int32>()->Value()) return;
  const bool same = readMark(guard, kLevels + guard->sampleLevel) == guard->sampleWork;
  guard->sampleLevel = -1;
  guard->words[kSampled] = 0;
  Local<Array> stack;
  if (!same || !toStack(isolate, guard->sampleStack, &stack)) return;
  Local<Value> pair[2] = {Number::New(isolate, guard->sampleRanMs + nowMs() - guard->sampledAt), stack};
  info.GetReturnValue().Set(Array::New(isolate, pair, 2));
}

bool readWords(Local<Value> value, size_t count, std::shared_ptr<BackingStore>* store, int32_t** words) {
  if (!value->IsInt32Array()) return false;
  Local<Int32Array> array = value.As<Int32Array>();
  if (array->Length() < count) return false;
  // Also of a SharedArrayBuffer: V8 has one class for both behind this call.
  *store = array->Buffer()->GetBackingStore();
  *words = reinterpret_cast<int32_t*>(static_cast<char*>((*store)->Data()) + array->ByteOffset());
  return true;
}

// Nobody can ask for an interrupt of this isolate any more when this returns.
void unregister(Guard* guard) {
  std::lock_guard<std::mutex> lock(registryMutex);
  registry.erase(guard->id);
}

// The thread ends. Its JavaScript will not run any more, so the functions that know the guard are not called again.
void threadEnded(void* data) {
  auto* guard = static_cast<std::shared_ptr<Guard>*>(data);
  unregister(guard->get());
  (*guard)->end.Reset();
  if (attached == guard->get()) attached = nullptr;
  delete guard;
}

// detach(): gives the thread's place free for another guard.
void detach(const FunctionCallbackInfo<Value>& info) {
  Guard* guard = static_cast<Guard*>(info.Data().As<External>()->Value());
  if (readMark(guard, kDepth) != 0) return throwError(info.GetIsolate(), "detach from within a guarded call");
  unregister(guard);
  if (attached == guard) attached = nullptr;
}

// attach(marks, words, core, uncuttable, end): the guard of this thread.
void attach(const FunctionCallbackInfo<Value>& info) {
  Isolate* isolate = info.GetIsolate();
  Local<Context> context = isolate->GetCurrentContext();
  if (attached != nullptr) return throwError(isolate, "this thread has a guard already");
  auto guard = std::make_shared<Guard>();
  guard->isolate = isolate;
  if (!readWords(info[0], kMarks, &guard->marksStore, &guard->marks)) {
    return throwError(isolate, "the marks must be an Int32Array of 64 elements or more");
  }
  if (!readWords(info[1], kWords, &guard->wordsStore, &guard->words)) {
    return throwError(isolate, "the words must be an Int32Array of 2 elements or more");
  }
  if (!info[2]->IsString() || !info[3]->IsArray()) {
    return throwError(isolate, "core must be a string, uncuttable an array of strings");
  }
  guard->core = utf8(isolate, info[2]);
  Local<Array> list = info[3].As<Array>();
  for (uint32_t at = 0; at < list->Length(); at++) {
    Local<Value> beginning;
    if (!list->Get(context, at).ToLocal(&beginning)) return;
    guard->uncuttable.push_back(utf8(isolate, beginning));
  }
  if (info[4]->IsFunction()) guard->end.Reset(isolate, info[4].As<Function>());
  for (int index = 0; index < kMarks; index++) writeMark(guard.get(), index, 0);

  Local<Object> object = Object::New(isolate);
  Local<External> data = External::New(isolate, guard.get());
  const auto method = [&](const char* name, v8::FunctionCallback callback) {
    Local<Function> function;
    return Function::New(context, callback, data).ToLocal(&function) &&
           object->Set(context, String::NewFromUtf8(isolate, name).ToLocalChecked(), function).FromMaybe(false);
  };
  if (!method("run", run) || !method("takeCut", takeCut) || !method("takeSample", takeSample) ||
      !method("detach", detach)) {
    return;
  }
  {
    std::lock_guard<std::mutex> lock(registryMutex);
    guard->id = ++lastId;
    registry.emplace(guard->id, guard);
  }
  if (!object
           ->Set(context, String::NewFromUtf8(isolate, "id").ToLocalChecked(), v8::Integer::New(isolate, guard->id))
           .FromMaybe(false)) {
    return;
  }
  attached = guard.get();
  node::AddEnvironmentCleanupHook(isolate, threadEnded, new std::shared_ptr<Guard>(guard));
  info.GetReturnValue().Set(object);
}

// interrupt(id, kind, level, work, ranMs): asks the thread with that guard. False if it is gone.
void interrupt(const FunctionCallbackInfo<Value>& info) {
  Isolate* isolate = info.GetIsolate();
  for (int at = 0; at < 5; at++) {
    if (!info[at]->IsNumber()) return throwError(isolate, "interrupt takes five numbers");
  }
  const auto number = [&](int at) { return static_cast<int64_t>(info[at].As<Number>()->Value()); };
  std::lock_guard<std::mutex> lock(registryMutex);
  const auto found = registry.find(static_cast<int32_t>(number(0)));
  info.GetReturnValue().Set(found != registry.end());
  if (found == registry.end()) return;
  Guard* guard = found->second.get();
  guard->requestRanMs.store(info[4].As<Number>()->Value(), std::memory_order_relaxed);
  guard->request.store(packRequest(static_cast<int>(number(1)), static_cast<int32_t>(number(2)),
                                   static_cast<int32_t>(number(3))),
                       std::memory_order_release);
  if (!guard->queued.exchange(true, std::memory_order_acq_rel)) {
    guard->isolate->RequestInterrupt(interrupted, nullptr);
  }
}

// V8's hint that a page is being loaded: it begins no full collection then, for 7 s at most, nor when the heap has grown far
// beyond what it wanted.
#if V8_MAJOR_VERSION >= 13
template <typename I>
auto setLoading(I* isolate, bool loading, int) -> decltype(isolate->SetIsLoading(loading), true) {
  isolate->SetIsLoading(loading);
  return true;
}
template <typename I>
bool setLoading(I*, bool, long) {
  return false;
}
#else
bool setLoading(Isolate* isolate, bool loading, int) {
  isolate->SetRAILMode(loading ? v8::PERFORMANCE_LOAD : v8::PERFORMANCE_ANIMATION);
  return true;
}
#endif

// deferCollections(on): begins or ends the putting off of full collections of this thread. False: this V8 cannot.
void deferCollections(const FunctionCallbackInfo<Value>& info) {
  Isolate* isolate = info.GetIsolate();
  info.GetReturnValue().Set(setLoading(isolate, info[0]->IsTrue(), 0));
}

// beginCollection(): has a full collection of this thread begin, in small steps and beside its work.
void beginCollection(const FunctionCallbackInfo<Value>& info) {
  Isolate* isolate = info.GetIsolate();
  isolate->MemoryPressureNotification(v8::MemoryPressureLevel::kModerate);
  isolate->MemoryPressureNotification(v8::MemoryPressureLevel::kNone);
}

// stackOf(id): what the last sample on kAnyLevel found, once; null if there is none.
void stackOf(const FunctionCallbackInfo<Value>& info) {
  Isolate* isolate = info.GetIsolate();
  info.GetReturnValue().SetNull();
  std::vector<std::string> lines;
  {
    std::lock_guard<std::mutex> lock(registryMutex);
    const auto found = info[0]->IsInt32() ? registry.find(info[0].As<v8::Int32>()->Value()) : registry.end();
    if (found == registry.end() || !found->second->hasLooseStack) return;
    found->second->hasLooseStack = false;
    lines.swap(found->second->looseStack);
  }
  Local<Array> stack;
  if (toStack(isolate, lines, &stack)) info.GetReturnValue().Set(stack);
}

}  // namespace

NODE_MODULE_INIT() {
  NODE_SET_METHOD(exports, "attach", attach);
  NODE_SET_METHOD(exports, "interrupt", interrupt);
  NODE_SET_METHOD(exports, "stackOf", stackOf);
  NODE_SET_METHOD(exports, "deferCollections", deferCollections);
  NODE_SET_METHOD(exports, "beginCollection", beginCollection);
  Isolate* isolate = v8::Isolate::GetCurrent();
  (void)Local<Object>::Cast(exports)
      ->Set(context, String::NewFromUtf8(isolate, "version").ToLocalChecked(), v8::Integer::New(isolate, kVersion))
      .FromMaybe(false);
}
