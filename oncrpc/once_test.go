// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// TestOncePerMinute: each address once a minute, and of more addresses than are remembered none.
func TestOncePerMinute(t *testing.T) {
	addr := func(i int) netip.Addr {
		return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 10<<24|uint32(i))))
	}
	synctest.Test(t, func(t *testing.T) {
		var o once
		expect := func(i int, want bool) {
			t.Helper()
			if o.perMinute(addr(i)) != want {
				t.Errorf("%v: %v", addr(i), !want)
			}
		}
		expect(0, true)
		expect(0, false)
		time.Sleep(time.Minute - time.Nanosecond)
		expect(0, false)
		time.Sleep(time.Nanosecond)
		expect(0, true)
		expect(0, false)
		time.Sleep(time.Second)
		for i := 1; i < maxLogged; i++ {
			expect(i, true)
		}
		expect(maxLogged, false) // no room
		expect(1, false)
		time.Sleep(time.Minute - time.Second)
		expect(maxLogged, true) // that of 0 is over
		expect(maxLogged+1, false)
		time.Sleep(time.Minute)
		expect(maxLogged+1, true)
		if len(o.logged) != 1 {
			t.Errorf("%d addresses are remembered", len(o.logged))
		}
	})
}
