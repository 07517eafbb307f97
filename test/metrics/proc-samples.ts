/** What kernels of different ages show. Shortened where the original has hundreds of words. */

export const STAT_6_18 = `cpu  2380509 114282 464562 1573923 14200 0 29564 6789 0 0
cpu0 1191614 55139 226844 799997 5293 0 9828 3179 0 0
cpu1 1188895 59143 237718 773926 8906 0 19736 3610 0 0
intr 40436233 0 0 0 0 0 0 1 1 15 0 4608 1133 0 387 1 9806315
ctxt 163941359
btime 1795300742
processes 446638
procs_running 2
procs_blocked 0
softirq 96254762 0 1887739 6 70115322 9803939 0 6 1791992 171893 12483865
`;

/** Two CPUs, before guests, without a line of soft interrupts. */
export const STAT_2_6_24 = `cpu  10132153 290696 3084719 46828483 16683 0 25195 0
cpu0 1393280 32966 572056 13343292 6130 0 17875 0
cpu1 1335001 21001 433210 14111030 5111 0 7320 0
intr 199292 124 10 0 0 3
ctxt 1990473
btime 1062191376
processes 2915
procs_running 1
procs_blocked 0
`;

/** Four states only. */
export const STAT_2_4 = `cpu  1393280 32966 572056 13343292
cpu0 1393280 32966 572056 13343292
intr 199292 124 10
ctxt 1990473
btime 1062191376
processes 2915
`;

export const MEMINFO_6_18 = `MemTotal:       24684100 kB
MemFree:        22831084 kB
MemAvailable:   24006844 kB
Buffers:           44388 kB
Cached:          1167512 kB
SwapCached:            0 kB
Dirty:               128 kB
SwapTotal:       2097148 kB
SwapFree:        2000000 kB
HugePages_Total:       0
`;

/** Before MemAvailable (3.14). */
export const MEMINFO_2_6_32 = `MemTotal:        1922060 kB
MemFree:         1234567 kB
Buffers:            1000 kB
Cached:            20000 kB
Dirty:                 0 kB
SwapTotal:             0 kB
SwapFree:              0 kB
`;

export const SNMP_6_18 = `Ip: Forwarding DefaultTTL InReceives InHdrErrors
Ip: 2 64 76555124 0
Icmp: InMsgs InErrors
Icmp: 3 0
Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors
Tcp: 1 200 120000 -1 894834 566482 327978 118094 7 76547860 76455161 77355 0 417122 0
Udp: InDatagrams NoPorts
Udp: 7261 0
`;

export const NETSTAT_6_18 = `TcpExt: SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts ListenOverflows ListenDrops TCPHPHits
TcpExt: 104 321 0 0 357 358 35693341
IpExt: InNoRoutes InTruncatedPkts
IpExt: 0 0
`;

/** The same columns in another order, one of them not there. */
export const NETSTAT_2_6_32 = `TcpExt: SyncookiesSent SyncookiesRecv ListenDrops TCPHPHits
TcpExt: 1 2 3 4
`;

export const SOCKSTAT = `sockets: used 117
TCP: inuse 41 orphan 1 tw 12 alloc 44 mem 306
UDP: inuse 0 mem 0
UDPLITE: inuse 0
RAW: inuse 0
FRAG: inuse 0 memory 0
`;

/** Fifteen words for each CPU, ten before 5.10, nine before 4.1. */
export const SOFTNET_6_18 = `024f5385 00000201 00000011 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000
0240d0a2 00000000 0000000b 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000001 00000000 00000000
`;
export const SOFTNET_2_6_32 = `000000ff 00000001 00000002 00000000 00000000 00000000 00000000 00000000 00000000
`;

export const DEV_6_18 = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 57589539396 76471232    0  513    0     0          0         0 57589539396 76471232    0    0    0     0       0          0
  ifb0:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0
  eth0: 2551720021   84071    1    2    0     0          0         0  6022467   62529    3    4    0     0       0          0
`;

/** No space behind the colon when figures are long, and an alias. */
export const DEV_2_6_32 = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:12345678      99    0    0    0     0          0         0 12345678      99    0    0    0     0       0          0
  eth0:2551720021   84071    0    0    0     0          0         0  6022467   62529    0    0    0     0       0          0
eth0:1:     10       1    0    0    0     0          0         0       20       2    0    0    0     0       0          0
`;

/** 17 words behind the name since 5.5. */
export const DISKSTATS_6_18 = `   7       0 loop0 9 0 9 9 9 9 9 9 0 9 9 0 0 0 0 0 0
 254       0 vda 518718 48271 14313010 510694 9689661 1335666 264285584 2278915 2 860640 3359276 2303146 6546 95873056 295743 2555182 273923
 254       1 vda1 500000 0 1 1 1 1 1 1 0 1 1 0 0 0 0 0 0
 259       0 nvme0n1 10 0 80 1 20 0 160 2 0 3 4 0 0 0 0 5 6
 259       1 nvme0n1p1 10 0 80 1 20 0 160 2 0 3 4 0 0 0 0 5 6
 253       0 zram0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
   8       0 sda 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
`;

/** 11 words, and four for a partition in the manner of 2.6.24 and before. */
export const DISKSTATS_2_6_32 = `   8       0 sda 446216 784926 9550688 4382310 424847 312726 5922052 19310380 0 3376340 23705160
   8       1 sda1 35486 38030 38030 38030
 253       0 dm-0 100 0 800 10 200 0 1600 20 0 30 40
`;

export const LIMITS = `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max open files            20000                20000                files     
Max nice priority         0                    0                    
`;

export const PRESSURE = `some avg10=87.95 avg60=69.05 avg300=36.91 total=10714142963
full avg10=0.00 avg60=0.00 avg300=0.00 total=0
`;
