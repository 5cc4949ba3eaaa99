// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/nfsclient"
	"github.com/hubhome/hubhome/nfsserver"
	"github.com/hubhome/hubhome/oncrpc"
	"github.com/hubhome/hubhome/store"
	"github.com/hubhome/hubhome/vfs"
)

// benchFiles is how many files the home has that is counted: HUBHOME_BENCH_FILES, or a number that a tree is made of in a
// moment.
func benchFiles(b *testing.B) int {
	n, err := strconv.Atoi(os.Getenv("HUBHOME_BENCH_FILES"))
	if err != nil {
		n = 50_000
	}
	return n
}

// tree makes a home of many files on the disk, a hundred in a directory, and returns the store's path.
func tree(b *testing.B, files int) string {
	b.Helper()
	path := b.TempDir()
	serving(b, path, nil).Close()
	for i := range files {
		dir := filepath.Join(path, "prod", "ada", strconv.Itoa(i/10_000), strconv.Itoa(i/100))
		if i%100 == 0 {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				b.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("file-%d.txt", i)), nil, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return path
}

// BenchmarkRecount counts a home whose inodes are in memory, with one processor and with two and so on, and has du(1) do the same
// by turns: the ratio is what counts.
func BenchmarkRecount(b *testing.B) {
	files := benchFiles(b)
	path := tree(b, files)
	s := serving(b, path, nil)
	s.Recount(ctx)
	for cpus := 1; cpus <= runtime.NumCPU(); cpus *= 2 {
		b.Run(fmt.Sprintf("cpus-%d", cpus), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cpus))
			recount(b, s, path, files)
		})
	}
}

func recount(b *testing.B, s *store.Store, path string, files int) {
	var ours, dus []time.Duration
	ourCPU, duCPU := time.Duration(0), time.Duration(0)
	for b.Loop() {
		s.Distrust("ada")
		began, cpu := time.Now(), cpuTime(b)
		s.Recount(ctx)
		ours, ourCPU = append(ours, time.Since(began)), ourCPU+cpuTime(b)-cpu
		began = time.Now()
		du := exec.Command("du", "-s", filepath.Join(path, "prod", "ada"))
		if out, err := du.CombinedOutput(); err != nil {
			b.Fatalf("du: %v\n%s", err, out)
		}
		dus, duCPU = append(dus, time.Since(began)), duCPU+du.ProcessState.SystemTime()+du.ProcessState.UserTime()
	}
	b.ReportMetric(float64(files)/median(ours)*1e9, "files/s")
	b.ReportMetric(median(dus)/median(ours), "times-du")
	// On a machine that does other things the time of the processors says more; what is done by several is still the sum.
	b.ReportMetric(float64(duCPU)/float64(ourCPU), "times-du-cpu")
	b.ReportMetric(float64(ourCPU.Microseconds())/float64(files*b.N), "cpu-µs/file")
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(usage.Maxrss)/1024, "MiB-maxrss")
}

// cpuTime is how much processor time this process has taken.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkStart opens a store of 20,000 clean homes.
func BenchmarkStart(b *testing.B) {
	const homes = 20_000
	path := b.TempDir()
	s := serving(b, path, nil)
	for i := range homes {
		if err := os.Mkdir(filepath.Join(path, "prod", fmt.Sprintf("user-%d", i)), 0o755); err != nil {
			b.Fatal(err)
		}
	}
	s.Close()
	s = serving(b, path, nil)
	s.Recount(ctx)
	s.Close()
	for b.Loop() {
		s, err := store.Open(ctx, store.Options{Path: path, Logger: quiet})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.SetHubs(ctx, prod); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if n := len(s.Report().Hubs[0].Homes); n < homes {
			b.Fatalf("%d homes", n)
		}
		s.Close()
		b.StartTimer()
	}
}

// BenchmarkSetQuota sets the quota of a home of many files, durably, and that of an empty one by turns: the ratio of what they
// took is 1 where it does not matter what a home holds.
func BenchmarkSetQuota(b *testing.B) {
	path := tree(b, benchFiles(b))
	s := serving(b, path, nil)
	mkdir(b, s, at(b, s, "prod"), "empty")
	s.Recount(ctx)
	set := func(home string, i int) time.Duration {
		began := time.Now()
		q := hubhome.Quota{Bytes: hubhome.Bytes(1 + i)}
		if err := s.SetQuotas([]store.Override{{Hub: "prod", Home: home, Quota: q}}); err != nil {
			b.Fatal(err)
		}
		return time.Since(began)
	}
	var many, empty []time.Duration
	for i := 0; b.Loop(); i++ {
		many, empty = append(many, set("ada", i)), append(empty, set("empty", i))
	}
	b.ReportMetric(median(many)/1e6, "ms/set")
	b.ReportMetric(median(many)/median(empty), "times-empty")
}

// median is the middle of times, in nanoseconds.
func median(all []time.Duration) float64 {
	slices.Sort(all)
	return float64(all[len(all)/2])
}

// BenchmarkWrite writes a file again and again over NFS, charged and not by turns, over what is there and anew, and tells the
// ratio of what they took.
func BenchmarkWrite(b *testing.B) {
	for _, size := range []int{4 << 10, 64 << 10, 1 << 20} {
		for _, anew := range []bool{false, true} {
			b.Run(fmt.Sprintf("%dKiB-anew-%v", size>>10, anew), func(b *testing.B) { writes(b, overNFS, size, anew, false) })
		}
	}
	// Linux asks for the attributes after a write, in the same request; here it is one of its own.
	b.Run("64KiB-anew-true-getattr", func(b *testing.B) { writes(b, overNFS, 64<<10, true, true) })
	// Without a network what the ledger costs is the largest part, and the easiest to see.
	local := func(_ *testing.B, fs vfs.FS) vfs.FS { return fs }
	b.Run("4KiB-anew-false-local", func(b *testing.B) { writes(b, local, 4<<10, false, false) })
}

// inRound is how many writes are made before it is the other's turn: enough for the looks that they cost to be among them.
const inRound = 130

func writes(b *testing.B, via func(*testing.B, vfs.FS) vfs.FS, size int, anew, attrs bool) {
	s := serving(b, b.TempDir(), nil)
	hub := at(b, s, "prod")
	for _, name := range []string{"charged", "uncharged"} {
		mkdir(b, s, hub, name)
	}
	data := make([]byte, size)
	round := func(fs vfs.FS, home string) func() time.Duration {
		remote := via(b, fs)
		at, err := remote.Root(ctx)
		if err != nil {
			b.Fatal(err)
		}
		for _, name := range []string{"prod", home} {
			e, err := remote.Lookup(ctx, nil, at, name)
			if err != nil {
				b.Fatal(err)
			}
			at = e.Handle
		}
		f, e, _, _, err := remote.Create(ctx, nil, at, "f", vfs.Create{}, vfs.Write)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { f.Close() })
		return func() time.Duration {
			if anew {
				if err := f.Truncate(ctx, 0); err != nil {
					b.Fatal(err)
				}
			}
			began := time.Now()
			for i := range inRound {
				if _, _, _, err := f.WriteAt(ctx, data, uint64(i*size), vfs.Unstable); err != nil {
					b.Fatal(err)
				}
				if !attrs {
					continue
				}
				if _, err := remote.GetAttr(ctx, e.Handle); err != nil {
					b.Fatal(err)
				}
			}
			return time.Since(began)
		}
	}
	charged, uncharged := round(s.FS(), "charged"), round(s.Uncharged(), "uncharged")
	charged()
	uncharged()
	var with, without []time.Duration
	for i := 0; b.Loop(); i++ {
		if i%2 == 0 { // who is first changes
			with, without = append(with, charged()), append(without, uncharged())
		} else {
			without, with = append(without, uncharged()), append(with, charged())
		}
	}
	b.ReportMetric(median(with)/median(without), "times-uncharged")
	b.ReportMetric(median(without)/inRound/1000, "µs/write-uncharged")
	b.ReportMetric((median(with)-median(without))/inRound, "ns/write-ledger")
}

// records are client records that nobody keeps.
type records struct{}

func (records) Load() ([]nfsserver.ClientRecord, error)           { return nil, nil }
func (records) Add([]byte, [8]byte, vfs.HomeID) error             { return nil }
func (records) Replace(_ []byte, _ [8]byte, _ []vfs.HomeID) error { return nil }

// overNFS serves files on a loopback port, and returns them as a client has them.
func overNFS(b *testing.B, fs vfs.FS) vfs.FS {
	b.Helper()
	server := nfsserver.New(nfsserver.Options{FS: fs, Recovery: records{}, Logger: quiet, ServerID: []byte("bench"), Lease: time.Minute},
		nfsserver.Settings{BaseShare: "/", Identity: nfsserver.Identity{Squash: nfsserver.SquashAll, UID: 1000, GID: 1000}})
	if err := server.Open(ctx); err != nil {
		b.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	stop, cancel := context.WithCancel(ctx)
	var serving sync.WaitGroup
	serving.Go(func() { (&oncrpc.Server{Handler: server, Logger: quiet}).Serve(stop, listener) }) //nolint:errcheck // it is told to stop
	serving.Go(func() { server.Run(stop) })                                                       //nolint:errcheck // as above
	client, err := nfsclient.Dial(ctx, nfsclient.Config{Addr: listener.Addr().String(), Export: "/", MinorVersion: 2, Timeout: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		client.Close()
		cancel()
		serving.Wait()
	})
	return client
}
