// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package store_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome"
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

// BenchmarkRecount counts a home whose inodes are in memory, and has du(1) do the same by turns: the ratio is what counts.
func BenchmarkRecount(b *testing.B) {
	files := benchFiles(b)
	path := tree(b, files)
	s := serving(b, path, nil)
	s.Recount(ctx)
	ours, dus := time.Duration(0), time.Duration(0)
	ourCPU, duCPU := time.Duration(0), time.Duration(0)
	for b.Loop() {
		s.Distrust("ada")
		began, cpu := time.Now(), cpuTime(b)
		s.Recount(ctx)
		ours, ourCPU = ours+time.Since(began), ourCPU+cpuTime(b)-cpu
		began = time.Now()
		du := exec.Command("du", "-s", filepath.Join(path, "prod", "ada"))
		if out, err := du.CombinedOutput(); err != nil {
			b.Fatalf("du: %v\n%s", err, out)
		}
		dus, duCPU = dus+time.Since(began), duCPU+du.ProcessState.SystemTime()+du.ProcessState.UserTime()
	}
	b.ReportMetric(float64(files)*float64(b.N)/ours.Seconds(), "files/s")
	b.ReportMetric(float64(dus)/float64(ours), "times-du")
	// On a machine that does other things the time of the processors says more; what is done by several is still the sum.
	b.ReportMetric(float64(duCPU)/float64(ourCPU), "times-du-cpu")
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

// BenchmarkSetQuota sets the quota of a home of many files, durably.
func BenchmarkSetQuota(b *testing.B) {
	path := tree(b, benchFiles(b))
	s := serving(b, path, nil)
	s.Recount(ctx)
	for i := 0; b.Loop(); i++ {
		q := hubhome.Quota{Bytes: hubhome.Bytes(1 + i)}
		if err := s.SetQuotas([]store.Override{{Hub: "prod", Home: "ada", Quota: q}}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWrite writes a file again and again, charged and not.
func BenchmarkWrite(b *testing.B) {
	for _, size := range []int{4 << 10, 1 << 20} {
		for _, charged := range []bool{false, true} {
			b.Run(strings.TrimSuffix(fmt.Sprintf("%dKiB-charged-%v", size>>10, charged), "-"), func(b *testing.B) {
				s := serving(b, b.TempDir(), nil)
				fs := s.FS()
				dir := at(b, s, "prod")
				e, _, err := fs.Mkdir(ctx, user, dir, "ada", vfs.SetAttr{})
				if err != nil {
					b.Fatal(err)
				}
				if !charged {
					fs = s.Uncharged()
				}
				f, _, _, _, err := fs.Create(ctx, user, e.Handle, "f", vfs.Create{}, vfs.Write)
				if err != nil {
					b.Fatal(err)
				}
				defer f.Close()
				data := make([]byte, size)
				b.SetBytes(int64(size))
				for i := 0; b.Loop(); i++ {
					if _, _, _, err := f.WriteAt(ctx, data, uint64(i%64*size), vfs.Unstable); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
