// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hubhome/hubhome/usage"
	"github.com/hubhome/hubhome/usage/usagetest"
)

// scannedStore serves a store that fill fills, until the test ends. base is where its hubs are on the disk.
func scannedStore(t *testing.T, fill func(hub string)) (target, base string, s *served) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("a store takes root")
	}
	addr, err := freeAddr()
	if err != nil {
		t.Fatal(err)
	}
	base = t.TempDir()
	s = &served{file: filepath.Join(base, "hubhome.yaml"), addr: addr}
	s.start(t)
	t.Cleanup(func() { s.stop() })
	fill(filepath.Join(base, "prod"))
	return "nfs://" + s.addr + "/homes", base, s
}

// scanJSON runs usage, and returns what it says.
func scanJSON(t *testing.T, target string, change func(*usageFlags)) (*usageReport, string, error) {
	t.Helper()
	f := usageFlags{output: outputJSON, sort: sortName, version: "auto"}
	change(&f)
	r, err := f.request(target)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	var out, log bytes.Buffer
	err = r.run(ctx, &out, &log)
	report := &usageReport{}
	if out.Len() > 0 {
		if e := json.Unmarshal(out.Bytes(), report); e != nil {
			t.Fatalf("what it prints: %v:\n%s", e, &out)
		}
	}
	return report, log.String(), err
}

// result is a report as a usage.Result.
func (p *usageReport) result() *usage.Result {
	r := &usage.Result{Complete: p.Complete, Errors: p.Errors}
	for _, hub := range p.Hubs {
		h := usage.Hub{Name: hub.Name, Loose: hub.Loose, Listed: hub.Complete, Errors: hub.Errors}
		for _, home := range hub.Homes {
			if home.NameBytes != nil {
				home.Name = string(home.NameBytes)
			}
			h.Homes = append(h.Homes, home.Home)
		}
		r.Hubs = append(r.Hubs, h)
	}
	return r
}

// TestUsage compares a scan of our own server with du(1).
func TestUsage(t *testing.T) {
	entries := 100
	if !testing.Short() {
		entries = 100_000
	}
	target, base, _ := scannedStore(t, func(hub string) { usagetest.MakeTree(t, hub, entries) })
	want := usagetest.Measure(t, base, "prod")
	for _, version := range []string{"4.1", "4.2"} {
		report, log, err := scanJSON(t, target, func(f *usageFlags) { f.version = version })
		if err != nil {
			t.Errorf("NFSv%s: %v\n%s", version, err, log)
		}
		want.Compare(t, report.result())
	}
}

// manyHomes makes homes of some directories each.
func manyHomes(t *testing.T, hub string, homes, dirs int) {
	t.Helper()
	for i := range homes {
		for j := range dirs {
			dir := filepath.Join(hub, fmt.Sprintf("user%02d", i), fmt.Sprintf("d%d", j%5), fmt.Sprint(j))
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "file"), make([]byte, 10*i+j), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestUsageKilled kills scans in the middle. The last one goes on, and finds what one that was not interrupted does.
func TestUsageKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("scans slowly, to be killed")
	}
	target, base, _ := scannedStore(t, func(hub string) { manyHomes(t, hub, 40, 20) })
	want := usagetest.Measure(t, base, "prod")
	state := filepath.Join(t.TempDir(), "state")
	size := int64(200)
	for range 4 {
		cmd := exec.Command(os.Args[0], "usage", target, "--state", state, "--iops", "200", "--max-age", "0", "--quiet")
		cmd.Args[0] = "hubhome" // TestMain goes by it
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
			info, err := os.Stat(state + ".part")
			if err == nil && info.Size() > size {
				size = info.Size() + 2000
				break
			}
			if time.Now().After(deadline) {
				t.Error("it keeps nothing")
				break
			}
		}
		cmd.Process.Signal(syscall.SIGKILL)
		if err := await(t, ended); err == nil {
			t.Error("it had come to its end before it was killed")
		}
	}
	report, log, err := scanJSON(t, target, func(f *usageFlags) { f.state = state })
	if err != nil || !report.Resumed || !strings.Contains(log, "hubhome: going on with the scan that began at ") {
		t.Errorf("the last scan: %v, goes on: %v\n%s", err, report.Resumed, log)
	}
	want.Compare(t, report.result())
	report, _, err = scanJSON(t, target, func(*usageFlags) {})
	if err != nil || report.Resumed {
		t.Errorf("a scan without a state: %v, goes on: %v", err, report.Resumed)
	}
	want.Compare(t, report.result())
}

// TestUsageRate holds scans to their bound: so many requests take so long at the least.
func TestUsageRate(t *testing.T) {
	const dirs, iops, burst = 60, 100, 10
	target, _, _ := scannedStore(t, func(hub string) { manyHomes(t, hub, 2, dirs/2) })
	report, _, err := scanJSON(t, target, func(f *usageFlags) { f.iops = iops })
	if err != nil {
		t.Fatal(err)
	}
	least := time.Duration(dirs-burst) * time.Second / iops
	if took := report.Ended.Sub(report.Began); took < least {
		t.Errorf("%d directories took %v, less than %v", dirs, took, least)
	}
}

// TestUsageInterrupted interrupts a scan. What was found is printed, and marked.
func TestUsageInterrupted(t *testing.T) {
	target, _, _ := scannedStore(t, func(hub string) { manyHomes(t, hub, 20, 10) })
	state := filepath.Join(t.TempDir(), "state")
	cmd := exec.Command(os.Args[0], "usage", target, "--state", state, "--iops", "200", "--output", "json")
	cmd.Args[0] = "hubhome" // TestMain goes by it
	var out, log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if info, err := os.Stat(state + ".part"); err == nil && info.Size() > 500 || time.Now().After(deadline) {
			break
		}
	}
	cmd.Process.Signal(syscall.SIGINT)
	if await(t, ended); cmd.ProcessState.ExitCode() != exitUnfinished {
		t.Errorf("it exited with %d", cmd.ProcessState.ExitCode())
	}
	var report usageReport
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("%v:\n%s", err, &out)
	}
	partial := 0
	for _, h := range report.Hubs[0].Homes {
		if !h.Complete {
			partial++
		}
	}
	if report.Complete || report.Hubs[0].Complete || partial == 0 {
		t.Errorf("complete: %v, the hub: %v, %d homes are not", report.Complete, report.Hubs[0].Complete, partial)
	}
	if want := "hubhome: the scan was interrupted; to go on with it, start it again with the same --state\n"; !strings.HasSuffix(log.String(), want) {
		t.Errorf("it says:\n%s", &log)
	}
}

// TestUsageInterruptedAgain interrupts one that nobody reads from, until it ends.
func TestUsageInterruptedAgain(t *testing.T) {
	target, _, _ := scannedStore(t, func(hub string) { manyHomes(t, hub, 600, 1) })
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	cmd := exec.Command(os.Args[0], "usage", target, "--output", "json", "--quiet")
	cmd.Args[0] = "hubhome" // TestMain goes by it
	cmd.Stdout = write
	err = cmd.Start()
	write.Close()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if _, err := read.Read(make([]byte, 1)); err != nil { // it has found what there is
		t.Fatal(err)
	}
	deadline := time.After(patience)
	for {
		select {
		case err := <-ended:
			if err == nil {
				t.Error("nobody has read what it found, and it says that it was successful")
			}
			return
		case <-time.After(20 * time.Millisecond):
			cmd.Process.Signal(syscall.SIGINT)
		case <-deadline:
			cmd.Process.Kill()
			t.Fatalf("it does not end: %v", <-ended)
		}
	}
}

// TestUsageRestart restarts the server under a scan, which goes on.
func TestUsageRestart(t *testing.T) {
	target, base, s := scannedStore(t, func(hub string) { manyHomes(t, hub, 20, 20) })
	want := usagetest.Measure(t, base, "prod")
	f := usageFlags{output: outputJSON, sort: sortName, version: "auto"}
	r, err := f.request(target)
	if err != nil {
		t.Fatal(err)
	}
	done := 0
	r.spec.Done = func(usage.Home) {
		if done++; done == 3 {
			s.stop()
			s.start(t)
		}
	}
	r.quiet = true
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var out, log bytes.Buffer
	if err := r.run(ctx, &out, &log); err != nil {
		t.Errorf("a scan whose server was restarted: %v\n%s", err, &log)
	}
	report := &usageReport{}
	if err := json.Unmarshal(out.Bytes(), report); err != nil {
		t.Fatal(err)
	}
	want.Compare(t, report.result())
}

// TestUsageSilence has the server go silent after any number of bytes. The command says so and ends, with what it has.
func TestUsageSilence(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for silent servers")
	}
	_, _, s := scannedStore(t, func(hub string) { manyHomes(t, hub, 5, 5) })
	for after := int64(500); after < 20_000; after += 1500 {
		addr := silencer(t, s.addr, after)
		t.Run(fmt.Sprint(after), func(t *testing.T) {
			t.Parallel()
			f := usageFlags{output: outputJSON, sort: sortName, version: "4.2"}
			r, err := f.request("nfs://" + addr + "/homes")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			var out, log bytes.Buffer
			ended := make(chan error, 1)
			go func() { ended <- r.run(ctx, &out, &log) }()
			err = await(t, ended)
			if err == nil {
				if !strings.Contains(out.String(), `"complete": true`) {
					t.Errorf("it was successful, and says\n%s", &out)
				}
				return
			}
			exit, ok := err.(exitError)
			if ok && exit.code == exitUnfinished && strings.Contains(out.String(), `"complete": false`) {
				return
			}
			if out.Len() > 0 {
				t.Errorf("the error is %v; it says\n%s", err, &out)
			}
		})
	}
}
