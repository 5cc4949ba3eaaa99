// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package console_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/console"
	"github.com/hubhome/hubhome/quota"
)

// TestQuotas sets quotas in every way that there is, and in none where one of many is wrong.
func TestQuotas(t *testing.T) {
	h := newHomes(t, "ada", "bob")
	c, _ := serve(t, h)
	quotaOf := func(home string) string {
		q, _, err := h.Home("prod", home)
		h.must(err)
		return hubhome.FormatQuotaBytes(q.Quota.Bytes) + " " + hubhome.FormatQuotaInodes(q.Quota.Inodes)
	}
	change := func(home, size, inodes string) console.QuotaChange {
		return console.QuotaChange{Hub: "prod", Name: console.NewName(home), Bytes: size, Inodes: inodes}
	}
	for _, step := range []struct{ size, inodes, want string }{
		{"2GiB", "", "2GiB unlimited"},
		{"", "7", "2GiB 7"},
		{"unlimited", "", "unlimited 7"},
		{"default", "", "1GiB 7"},
		{"3GiB", "default", "3GiB unlimited"},
		{"default", "default", "1GiB unlimited"},
	} {
		if _, err := c.SetQuotas(t.Context(), console.QuotaRequest{DryRun: true, Changes: []console.QuotaChange{change("ada", "9TiB", "9")}}); err != nil {
			t.Error(err)
		}
		before := quotaOf("ada")
		result, err := c.SetQuotas(t.Context(), console.QuotaRequest{Changes: []console.QuotaChange{change("ada", step.size, step.inodes)}})
		h.must(err)
		if got := quotaOf("ada"); got != step.want || before == got || len(result.Changes) != 1 {
			t.Errorf("%q and %q make it %s, want %s: %+v", step.size, step.inodes, got, step.want, result)
		}
	}
	sets := len(h.set)
	for name, changes := range map[string][]console.QuotaChange{
		"no home":       {change("bob", "2GiB", ""), change("eve", "2GiB", "")},
		"no hub":        {change("bob", "2GiB", ""), {Hub: "dev", Name: console.NewName("ada"), Bytes: "2GiB"}},
		"no size":       {change("bob", "2GiB", ""), change("ada", "2", "")},
		"no inodes":     {change("bob", "2GiB", ""), change("ada", "", "-1")},
		"nothing":       {change("bob", "2GiB", ""), change("ada", "", "")},
		"twice":         {change("bob", "2GiB", ""), change("bob", "3GiB", "")},
		"no name":       {change("bob", "2GiB", ""), change("", "3GiB", "")},
		"the hub's own": {change("bob", "2GiB", ""), {Hub: "prod", Bytes: "3GiB"}},
	} {
		_, err := c.SetQuotas(t.Context(), console.QuotaRequest{Changes: changes})
		problems, ok := errors.AsType[console.Problems](err)
		if !ok || len(problems) != 1 || problems[0].Index == nil || *problems[0].Index != 1 {
			t.Errorf("%s: %#v", name, err)
		}
	}
	if len(h.set) != sets || quotaOf("bob") != "1GiB unlimited" {
		t.Errorf("something was set: bob has %s", quotaOf("bob"))
	}
	result, err := c.SetQuotas(t.Context(), console.QuotaRequest{AllowMissing: true, Changes: []console.QuotaChange{change("eve", "2GiB", "")}})
	if err != nil || !result.Changes[0].Missing || quotaOf("eve") != "2GiB unlimited" {
		t.Errorf("of a home that is not there: %+v, %v, %s", result, err, quotaOf("eve"))
	}
	h.err = errors.New("the disk is full")
	if _, err := c.SetQuotas(t.Context(), console.QuotaRequest{Changes: []console.QuotaChange{change("bob", "2GiB", "")}}); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("what was not kept is told as %v", err)
	}
}

// TestListQuotas lists what was set at run time: of homes with names of any bytes, of one that is not there, and in a hub that is
// not served.
func TestListQuotas(t *testing.T) {
	h := newHomes(t, "ada", "caf\xe9")
	h.inForce = []console.Override{
		{Hub: "old", Home: "ada", Quota: hubhome.Quota{Bytes: 5}},
		{Hub: "prod", Home: "caf\xe9", Quota: hubhome.Quota{Bytes: hubhome.Unlimited, Inodes: 7}},
		{Hub: "prod", Home: "gone", Quota: hubhome.Quota{Inodes: hubhome.UnlimitedInodes}},
	}
	c, _ := serve(t, h)
	list := func(hub hubhome.HubName) string {
		t.Helper()
		quotas, err := c.Quotas(t.Context(), hub)
		h.must(err)
		var all []string
		number := func(n *int64) any {
			if n == nil {
				return "-"
			}
			return *n
		}
		for _, q := range quotas {
			all = append(all, fmt.Sprintf("%s/%q %v %v %v", q.Hub, q.Name.String(), number(q.Override.Bytes), number(q.Override.Inodes), q.Missing))
		}
		return strings.Join(all, "; ")
	}
	const old, prod = `old/"ada" 5 - true`, `prod/"caf\xe9" -1 7 false; prod/"gone" - -1 true`
	for hub, want := range map[hubhome.HubName]string{"": old + "; " + prod, "old": old, "prod": prod, "staging": ""} {
		if got := list(hub); got != want {
			t.Errorf("of hub %q: %s, want %s", hub, got, want)
		}
	}
	if _, err := c.Quotas(t.Context(), "dev"); err == nil || !strings.Contains(err.Error(), `no hub "dev" is served`) {
		t.Errorf("of a hub that nobody knows: %v", err)
	}
}

// TestImpossibleNames has names that no directory can have: a trial says no to them as the change itself does.
func TestImpossibleNames(t *testing.T) {
	h := newHomes(t, "ada")
	c, _ := serve(t, h)
	for _, name := range []string{".", "..", "a\x00b", strings.Repeat("x", 256)} {
		for _, trial := range []bool{true, false} {
			_, err := c.SetQuotas(t.Context(), console.QuotaRequest{DryRun: trial, AllowMissing: true, Changes: []console.QuotaChange{
				{Hub: "prod", Name: console.NewName(name), Bytes: "2GiB"},
			}})
			if problems, ok := errors.AsType[console.Problems](err); !ok || problems[0].Index == nil {
				t.Errorf("%.10q, dry run %v: %v", name, trial, err)
			}
		}
	}
	if len(h.set) > 0 {
		t.Errorf("%v was set", h.set)
	}
}

// counted are homes of which it is counted how often all of them are asked for.
type counted struct {
	*homes
	reports atomic.Int32
}

func (c *counted) Report() quota.Report {
	c.reports.Add(1)
	return c.homes.Report()
}

// TestManyWrong has twenty thousand lines with a misspelt hub: the first of them are told, and the server does not go
// through all homes for each of the rest.
func TestManyWrong(t *testing.T) {
	h := &counted{homes: newHomes(t, many(100)...)}
	c, _ := serve(t, h)
	var changes []console.QuotaChange
	for _, name := range many(20_000) {
		changes = append(changes, console.QuotaChange{Hub: "prdo", Name: console.NewName(name), Bytes: "2GiB"})
	}
	_, err := c.SetQuotas(t.Context(), console.QuotaRequest{Changes: changes})
	if problems, ok := errors.AsType[console.Problems](err); !ok || len(problems) != 101 || !strings.Contains(err.Error(), `no hub "prdo"`) {
		t.Errorf("it is told %.100v", err)
	} else if last := problems[100]; last.Index != nil || !strings.Contains(last.Message, "perhaps more") {
		t.Errorf("it is told at last %v", last)
	}
	if n := h.reports.Load(); n > 100 {
		t.Errorf("all homes were asked for %d times", n)
	}
}

// TestTooMany has more than a server takes at once: no server is asked, and it is said what to do.
func TestTooMany(t *testing.T) {
	c := console.NewClient(filepath.Join(t.TempDir(), "nobody"))
	changes := make([]console.QuotaChange, 250_000)
	long := strings.Repeat("x", 255)
	for i := range changes {
		changes[i] = console.QuotaChange{Hub: "prod", Name: console.NewName(long), Bytes: "2GiB"}
	}
	if _, err := c.SetQuotas(t.Context(), console.QuotaRequest{Changes: changes}); err == nil || !strings.Contains(err.Error(), "make it several") {
		t.Errorf("it is told %v", err)
	}
}
