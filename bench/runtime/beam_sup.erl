%% The supervisor of the restarts: one child that says that it runs and crashes when it is told to.
-module(beam_sup).
-behaviour(supervisor).
-export([init/1, start_child/0]).

init(Intensity) ->
    {ok, {#{strategy => one_for_one, intensity => Intensity, period => 3600},
          [#{id => child, start => {beam_sup, start_child, []}}]}}.

start_child() ->
    Crasher = persistent_term:get(beam_crasher),
    {ok, proc_lib:spawn_link(fun() -> Crasher ! {up, self()}, receive die -> exit(boom) end end)}.
