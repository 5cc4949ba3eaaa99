// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// transcript prints the tour.
type transcript struct {
	out    io.Writer
	colour bool
	width  int // of the longest title
	// err is why nobody reads it any more.
	err error
}

func newTranscript(out io.Writer) *transcript {
	t := &transcript{out: out, colour: os.Getenv("NO_COLOR") == "" && terminal(out)}
	for _, s := range steps {
		t.width = max(t.width, utf8.RuneCountInString(s.title))
	}
	return t
}

// terminal tells whether what is written goes to somebody's screen.
func terminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	return err == nil
}

func (t *transcript) line(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintln(t.out, strings.TrimRight(fmt.Sprintf(format, args...), " "))
	}
}

// The colours of a terminal (ECMA-48, SGR).
const (
	faint  = 2
	red    = 31
	green  = 32
	yellow = 33
)

func (t *transcript) paint(text string, colour int) string {
	if !t.colour {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, text)
}

func (t *transcript) intro(s *demoServer) {
	t.line("Two hubs, staging and prod, in %s: what a cluster does with them, over NFSv4.2.", s.dir)
	t.line("")
}

// step prints one step: what was seen, or why not.
func (t *transcript) step(title, seen string, err error) {
	mark := t.paint("✓", green)
	if err != nil {
		mark, seen = t.paint("✗", red), err.Error()
	}
	t.line("%s %-*s  %s", mark, t.width, title, seen)
}

// table prints how all steps ended.
func (t *transcript) table(results []stepResult) {
	t.line("")
	t.line("%4s  %-*s  %-8s %8s", "step", t.width, "what", "result", "time")
	var all time.Duration
	passed := 0
	for i, s := range steps {
		o := results[i]
		all += o.took
		word, colour, took := "not run", 0, ""
		switch {
		case o.done && o.err == nil:
			word, colour = "ok", green
			passed++
		case o.done:
			word, colour = "failed", red
		}
		if o.done {
			took = millis(o.took)
		}
		t.line("%4d  %-*s  %s %8s", i+1, t.width, s.title, t.paint(fmt.Sprintf("%-8s", word), colour), took)
	}
	t.line("%4s  %-*s  %-8s %8s", "", t.width, fmt.Sprintf("%d of %d steps", passed, len(steps)), "", millis(all))
	t.line("")
}

func millis(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

// mount says how to use the server by hand.
func (t *transcript) mount(s *demoServer) {
	t.line("Mount it by hand, on this machine:")
	t.line("  sudo mount -t nfs -o vers=4.2,port=%s,proto=tcp 127.0.0.1:/homes/prod /mnt", s.port)
	t.line("Ask it what homes take:")
	t.line("  sudo hubhome home list --config %s", s.config)
	t.line("")
}
