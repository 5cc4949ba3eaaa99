// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package oncrpc

import (
	"net/netip"
	"sync"
	"time"
)

// once keeps a log from being flooded by what others do: it remembers about which addresses something was logged.
type once struct {
	mu     sync.Mutex
	logged map[netip.Addr]time.Time
}

// maxLogged is how many addresses are remembered; what concerns more of them within a minute is not logged.
const maxLogged = 1024

// perMinute answers true once a minute for each address.
func (o *once) perMinute(addr netip.Addr) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if at, ok := o.logged[addr]; ok && now.Sub(at) < time.Minute {
		return false
	}
	if len(o.logged) >= maxLogged {
		for a, at := range o.logged {
			if now.Sub(at) >= time.Minute {
				delete(o.logged, a)
			}
		}
		if len(o.logged) >= maxLogged {
			return false
		}
	}
	if o.logged == nil {
		o.logged = map[netip.Addr]time.Time{}
	}
	o.logged[addr] = now
	return true
}
