// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package warning

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/quota"
)

// Keeper keeps what was told where a restart finds it.
type Keeper interface {
	// LoadWarnings returns what was saved last; nothing where nothing was.
	LoadWarnings() ([]byte, error)
	// SaveWarnings makes it durable.
	SaveWarnings([]byte) error
}

// key names a home, or with an empty name a hub.
type key struct {
	hub  hubhome.HubName
	home string
}

// told is of what each way to tell has told, by mark.
type told struct {
	keeper Keeper

	mu   sync.Mutex
	ways map[string]map[key]int
	// changed: what is kept is not what was told.
	changed bool
}

// toldLine is one home's mark as it is kept.
type toldLine struct {
	Way  string          `json:"way"`
	Hub  hubhome.HubName `json:"hub"`
	Home string          `json:"home"` // quoted as Go does: a name need not be UTF-8
	Mark int             `json:"mark"`
}

// open reads what is kept.
func (t *told) open() error {
	t.ways = map[string]map[key]int{}
	data, err := t.keeper.LoadWarnings()
	if err != nil {
		return fmt.Errorf("read which warnings were given: %w", err)
	}
	if len(data) == 0 {
		return nil
	}
	var lines []toldLine
	if err := json.Unmarshal(data, &lines); err != nil {
		return fmt.Errorf("read which warnings were given: %w", err)
	}
	for _, l := range lines {
		home, err := strconv.Unquote(l.Home)
		if err != nil {
			return fmt.Errorf("read which warnings were given: the name %.70s: %w", l.Home, err)
		}
		t.of(l.Way)[key{l.Hub, home}] = l.Mark
	}
	return nil
}

// of returns the marks of one way to tell. t.mu is held, or nobody else has it yet.
func (t *told) of(way string) map[key]int {
	if t.ways[way] == nil {
		t.ways[way] = map[key]int{}
	}
	return t.ways[way]
}

// put remembers a mark. t.mu is held.
func (t *told) put(way string, k key, mark int) {
	t.changed = true
	if mark == 0 {
		delete(t.of(way), k)
		return
	}
	t.of(way)[k] = mark
}

// sweep forgets the homes of one way to tell that are gone: that a report of their hubs does not have. t.mu is held.
func (t *told) sweep(way string, r *quota.Report) {
	marks := t.of(way)
	if len(marks) == 0 {
		return
	}
	gone := map[hubhome.HubName]map[string]bool{}
	for k := range marks {
		if gone[k.hub] == nil {
			gone[k.hub] = map[string]bool{}
		}
		gone[k.hub][k.home] = k.home != ""
	}
	for i := range r.Hubs {
		hub := &r.Hubs[i]
		for j := range hub.Homes {
			delete(gone[hub.Name], hub.Homes[j].Name)
		}
		for home, is := range gone[hub.Name] {
			if is {
				t.put(way, key{hub.Name, home}, 0)
			}
		}
	}
}

// save keeps what was told, where that has changed.
func (t *told) save() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.changed {
		return nil
	}
	lines := []toldLine{}
	for way, marks := range t.ways {
		for k, mark := range marks {
			lines = append(lines, toldLine{way, k.hub, strconv.QuoteToASCII(k.home), mark})
		}
	}
	slices.SortFunc(lines, func(a, b toldLine) int {
		return cmp.Or(cmp.Compare(a.Way, b.Way), cmp.Compare(a.Hub, b.Hub), cmp.Compare(a.Home, b.Home))
	})
	data, err := json.Marshal(lines)
	if err != nil {
		return err
	}
	if err := t.keeper.SaveWarnings(data); err != nil {
		return err
	}
	t.changed = false
	return nil
}
