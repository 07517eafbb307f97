%% The workloads of the runtime's benchmark on the real Erlang/OTP: one workload for each start of the program.
%%
%%   erl -noinput -pa DIR -run beam main WORKLOAD SCALE
%%
%% Prints a line of JSON: events of the best round for each second and for each second of processor time, or bytes.
-module(beam).
-behaviour(gen_server).
-export([main/1, init/1, handle_call/3, handle_cast/2]).

main([Name, Scale]) ->
    S = list_to_float(Scale),
    case run(list_to_atom(Name), S) of
        {bytes, Bytes} -> io:format("{\"bytes\":~p}~n", [Bytes]);
        none -> io:format("{}~n");
        {Count, Work} ->
            {Wall, Cpu} = rounds(Count, Work, 0, {0.0, 0.0}, now_us()),
            io:format("{\"wall\":~p,\"cpu\":~p}~n", [Wall, Cpu])
    end,
    halt(0).

now_us() -> erlang:monotonic_time(microsecond).

%% At least three rounds and two seconds, best of them.
rounds(Count, Work, Rounds, {Wall, Cpu} = Best, Began) ->
    case Rounds >= 3 andalso now_us() - Began > 2000000 of
        true -> Best;
        false ->
            garbage_collect(),
            {C0, _} = statistics(runtime),
            T0 = now_us(),
            Work(),
            T1 = now_us(),
            {C1, _} = statistics(runtime),
            W = Count / max(1, T1 - T0) * 1.0e6,
            %% The runtime's own clock of processor time ticks in milliseconds.
            C = Count / max(1, C1 - C0) * 1.0e3,
            rounds(Count, Work, Rounds + 1, {max(Wall, W), max(Cpu, C)}, Began)
    end.

n(S, N) -> max(1, round(S * N)).

run(ping_pong, S) ->
    N = n(S, 1000000),
    {N, fun() -> ping_pong(N) end};
run(ring, S) ->
    N = n(S, 1000000),
    {N, fun() -> ring(1000, N) end};
run(fan_in, S) ->
    Each = n(S, 10000),
    {100 * Each, fun() -> fan_in(100, Each) end};
run(fan_out, S) ->
    Each = n(S, 10000),
    {100 * Each, fun() -> fan_out(100, Each) end};
run(calls, S) ->
    N = n(S, 300000),
    {ok, Server} = gen_server:start(beam, 0, []),
    {N, fun() -> wait(spawn_monitor(fun() -> calls(Server, N) end)) end};
run(spawn_exit, S) ->
    N = n(S, 300000),
    {N, fun() -> spawn_exit(N) end};
run(idle_bytes, S) ->
    N = n(S, 100000),
    garbage_collect(),
    Before = erlang:memory(processes) + erlang:memory(ets),
    Pids = [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, N)],
    timer:sleep(200),
    garbage_collect(),
    Bytes = (erlang:memory(processes) + erlang:memory(ets) - Before - 16 * N) / N,
    length(Pids) =:= N orelse halt(1),
    {bytes, Bytes};
run(backlog, S) ->
    N = n(S, 10000000),
    {N, fun() -> backlog(N) end};
run(timers_cancel, S) ->
    N = n(S, 1000000),
    {N, fun() -> Ts = [erlang:send_after(30000 + (I band 1023), self(), x) || I <- lists:seq(1, N)],
                 [erlang:cancel_timer(T) || T <- Ts] end};
run(timers_fire, S) ->
    N = n(S, 1000000),
    {N, fun() -> [erlang:send_after(1 + (I band 63), self(), x) || I <- lists:seq(1, N)], take(N) end};
run(links_die, S) -> die(link, n(S, 100000));
run(monitors_die, S) -> die(monitor, n(S, 100000));
run(restarts, S) ->
    N = n(S, 20000),
    {N, fun() -> restarts(N) end};
run(lookups, S) ->
    N = n(S, 100000),
    Names = [list_to_atom("name" ++ integer_to_list(I)) || I <- lists:seq(1, N)],
    Pid = spawn(fun() -> receive stop -> ok end end),
    Pids = [begin P = spawn(fun() -> receive stop -> ok end end), register(Name, P), P end || Name <- Names],
    length(Pids) =:= N orelse halt(1),
    exit(Pid, kill),
    {N * 10, fun() -> [lists:foreach(fun(Name) -> true = is_pid(whereis(Name)) end, Names) || _ <- lists:seq(1, 10)] end};
run(selective, S) ->
    Looks = n(S, 200),
    Length = 10000,
    {Looks * Length, fun() -> selective(Length, Looks) end};
run(calls_long_mailbox, S) ->
    N = n(S, 100000),
    {ok, Server} = gen_server:start(beam, 0, []),
    {N, fun() -> wait(spawn_monitor(fun() -> [self() ! {noise, I} || I <- lists:seq(1, 10000)], calls(Server, N) end)) end};
run(_, _) -> none.

wait({Pid, Ref}) -> receive {'DOWN', Ref, process, Pid, _} -> ok end.

ping_pong(N) ->
    wait(spawn_monitor(fun() ->
        B = spawn_link(fun pong/0),
        ping(B, N div 2)
    end)).
ping(_, 0) -> ok;
ping(B, N) -> B ! self(), receive pong -> ping(B, N - 1) end.
pong() -> receive A -> A ! pong, pong() end.

ring(Processes, Hops) ->
    wait(spawn_monitor(fun() ->
        Last = lists:foldl(fun(_, Next) -> spawn_link(fun() -> pass(Next) end) end, self(), lists:seq(2, Processes)),
        Last ! Hops,
        first(Last)
    end)).
first(Next) -> receive N when N =< 0 -> ok; N -> Next ! N - 1, first(Next) end.
pass(Next) -> receive N -> Next ! N - 1, pass(Next) end.

fan_in(Senders, Each) ->
    wait(spawn_monitor(fun() ->
        Sink = self(),
        [spawn_link(fun() -> send_all(Sink, Each) end) || _ <- lists:seq(1, Senders)],
        take(Senders * Each)
    end)).
send_all(_, 0) -> ok;
send_all(Sink, N) -> Sink ! x, send_all(Sink, N - 1).
take(0) -> ok;
take(N) -> receive x -> take(N - 1) end.

fan_out(Receivers, Each) ->
    wait(spawn_monitor(fun() ->
        Self = self(),
        Pids = [spawn_link(fun() -> take(Each), Self ! x end) || _ <- lists:seq(1, Receivers)],
        out(Pids, Each),
        take(Receivers)
    end)).
out(_, 0) -> ok;
out(Pids, N) -> [P ! x || P <- Pids], out(Pids, N - 1).

calls(_, 0) -> ok;
calls(Server, N) -> gen_server:call(Server, x), calls(Server, N - 1).
init(N) -> {ok, N}.
handle_call(_, _, N) -> {reply, N, N + 1}.
handle_cast(_, N) -> {noreply, N}.

%% A thousand at a time: the mailbox of who counts them must not become the measurement.
spawn_exit(N) ->
    wait(spawn_monitor(fun() -> spawn_batches(self(), N) end)).
spawn_batches(_, N) when N =< 0 -> ok;
spawn_batches(Self, N) ->
    [spawn(fun() -> Self ! x end) || _ <- lists:seq(1, 1000)],
    take(1000),
    spawn_batches(Self, N - 1000).

%% Built first, then drained.
backlog(N) ->
    wait(spawn_monitor(fun() -> send_all(self(), N), take(N) end)).

die(Kind, N) ->
    {N, fun() ->
        {Hub, Ref} = spawn_monitor(fun() -> receive die -> exit(boom) end end),
        Self = self(),
        [spawn(fun() -> follow(Kind, Hub, Self) end) || _ <- lists:seq(1, N)],
        take_ready(N),
        Hub ! die,
        wait({Hub, Ref}),
        take(N)
    end}.
follow(link, Hub, Self) ->
    process_flag(trap_exit, true), link(Hub), Self ! ready, receive {'EXIT', Hub, _} -> Self ! x end;
follow(monitor, Hub, Self) ->
    Ref = monitor(process, Hub), Self ! ready, receive {'DOWN', Ref, process, Hub, _} -> Self ! x end.
take_ready(0) -> ok;
take_ready(N) -> receive ready -> take_ready(N - 1) end.

%% One child after the other crashes; its supervisor starts it again.
restarts(N) ->
    logger:set_primary_config(level, none),
    wait(spawn_monitor(fun() ->
        process_flag(trap_exit, true),
        Self = self(),
        persistent_term:put(beam_crasher, Self),
        {ok, Sup} = supervisor:start_link(beam_sup, N + 10),
        crash(N),
        unlink(Sup),
        exit(Sup, kill)
    end)).
crash(0) -> ok;
crash(N) -> receive {up, Pid} -> Pid ! die, crash(N - 1) end.

selective(Length, Looks) ->
    wait(spawn_monitor(fun() ->
        Self = self(),
        [Self ! {noise, I} || I <- lists:seq(1, Length)],
        look(Self, Looks)
    end)).
look(_, 0) -> ok;
look(Self, N) -> Self ! {wanted, N}, receive {wanted, N} -> look(Self, N - 1) end.
