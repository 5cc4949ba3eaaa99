// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package nfsclient_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/hubhome/hubhome/nfsclient"
)

// TestPace asks before every request, and does not send what is refused. A refused request costs no slot.
func TestPace(t *testing.T) {
	s := serve(t)
	path, _ := s.home("ada")
	var asked atomic.Int64
	var refuse atomic.Bool
	broken := errors.New("no turn")
	fs := dial(t, nfsclient.Config{Addr: s.addr, Export: path, Pace: func(context.Context) error {
		asked.Add(1)
		if refuse.Load() {
			return broken
		}
		return nil
	}})
	h := root(t, fs)
	refuse.Store(true)
	for range 200 { // more than there are slots
		if _, err := fs.GetAttr(t.Context(), h); !errors.Is(err, broken) {
			t.Fatalf("a request without a turn: %v", err)
		}
	}
	refuse.Store(false)
	before := asked.Load()
	if _, err := fs.GetAttr(t.Context(), h); err != nil {
		t.Errorf("after that: %v", err)
	}
	if n := asked.Load() - before; n != 1 {
		t.Errorf("one request asked %d times", n)
	}
}
