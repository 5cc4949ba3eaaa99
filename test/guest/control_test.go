// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package guest

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestAnswer(t *testing.T) {
	long := strings.Repeat("x", 10000)
	for _, test := range []struct {
		name, said, output string
		code               int
		err                error
	}{
		{"nothing printed", "\x00TOKEN 0\n", "", 0, nil},
		{"lines", "a\nb\n\x00TOKEN 3\n", "a\nb\n", 3, nil},
		{"no line's end", "a\nb\x00TOKEN 137\n", "a\nb", 137, nil},
		{"a long line", long + "\x00TOKEN 0\n", long, 0, nil},
		{"zero bytes of its own", "a\x00b\x00TOKE\n\x00TOKEN 1\n", "a\x00b\x00TOKE\n", 1, nil},
		{"a guest that died", "a\nb", "a\nb", 0, io.ErrUnexpectedEOF},
	} {
		var output bytes.Buffer
		code, err := answer(bufio.NewReader(strings.NewReader(test.said)), "TOKEN", &output)
		if code != test.code || !errors.Is(err, test.err) || output.String() != test.output {
			t.Errorf("%s: %d, %v, %q; want %d, %v, %q", test.name, code, err, &output, test.code, test.err, test.output)
		}
	}
}

func TestConsoleKeepsTheLast(t *testing.T) {
	var c console
	for range maxConsole / 10 {
		io.WriteString(&c, "many lines\r\n")
	}
	io.WriteString(&c, "one\r\ntwo\r\nthree\r\n")
	if got := c.last(2); got != "two\nthree" {
		t.Errorf("the last two lines are %q", got)
	}
	if len(c.text) > maxConsole {
		t.Errorf("the console holds %d bytes of %d", len(c.text), maxConsole)
	}
	if got := strings.Count(c.last(1<<20), "\n"); got < maxConsole/20 {
		t.Errorf("all that is kept is %d lines", got)
	}
}
