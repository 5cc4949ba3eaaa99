// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/hubhome/hubhome/console"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/store"
)

// screen collects what is written to a terminal.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// waitFor waits for a text on it.
func (s *screen) waitFor(t *testing.T, text string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(s.String(), text); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%q is not on the terminal: %q", text, s.String())
		}
	}
}

// openTerminal opens a pseudo-terminal (pts(4)).
func openTerminal(t *testing.T) (*os.File, *screen) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("needs a pseudo-terminal: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 200}); err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("needs a pseudo-terminal: %v", err)
	}
	s := &screen{}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		buf := make([]byte, 4096)
		for {
			k, err := master.Read(buf)
			s.Write(buf[:k])
			if err != nil {
				return // EIO: the other side is closed
			}
		}
	}()
	t.Cleanup(func() {
		terminal.Close()
		<-ended
	})
	return terminal, s
}

// TestProgressOnTerminal has a bar with a text, and lines above it that are not lost when it is gone.
func TestProgressOnTerminal(t *testing.T) {
	terminal, screen := openTerminal(t)
	p := newProgress(terminal)
	above := p.above(terminal)
	p.show(5, 10, "half of it", time.Second)
	screen.waitFor(t, "half of it")
	fmt.Fprintln(above, "found something")
	screen.waitFor(t, "found something")
	p.end()
	fmt.Fprintln(above, "and said at last")
	screen.waitFor(t, "and said at last")
	if lines := strings.Count(screen.String(), "found something"); lines != 1 {
		t.Errorf("it is there %d times: %q", lines, screen.String())
	}

	// What goes elsewhere is not for the terminal.
	var elsewhere bytes.Buffer
	p = newProgress(terminal)
	fmt.Fprintln(p.above(&elsewhere), "for a file")
	p.end()
	if elsewhere.String() != "for a file\n" || strings.Contains(screen.String(), "for a file") {
		t.Errorf("the file has %q", elsewhere.String())
	}
}

// TestProgressTexts says how far a walk and a check are: never more than there is.
func TestProgressTexts(t *testing.T) {
	looked := console.Looked{Seen: console.Amount{Bytes: 1 << 20, Inodes: 12}, Of: console.Amount{Inodes: 100}}
	if got, want := lookedText(&looked, 90*time.Second), "12 of about 100 files and directories, 1.0 MiB, 1m30s"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	looked.Of = console.Amount{}
	if got, want := lookedText(&looked, 0), "12 of about 12 files and directories, 1.0 MiB, 0s"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	at := store.CheckProgress{Homes: 3, Checked: 1, Seen: quota.Usage{Bytes: 1024, Inodes: 50}, Known: quota.Usage{Inodes: 200}}
	if got, want := checkText(&at, 10*time.Second), "1 of 3 directories, 1.0 KiB, 50 inodes of about 200, 5/s, 10s"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
