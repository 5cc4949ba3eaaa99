// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package console

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/quota"
	"github.com/hubhome/hubhome/vfs"
)

// maxProblems is how many of a request's changes are told that are wrong. What comes after them is not looked at.
const maxProblems = 100

// takeBack, for bytes or inodes, takes back what was set at run time.
const takeBack = "default"

// setQuotas changes the quotas of homes: all of them, or none where one is wrong.
func (s *Server) setQuotas(r *http.Request) (any, error) {
	if _, err := params(r); err != nil {
		return nil, err
	}
	if err := s.needLedger("there are no quotas"); err != nil {
		return nil, err
	}
	var req QuotaRequest
	if err := decode(r, &req); err != nil {
		return nil, err
	}
	// What is set is made of what is in force: nobody else may change that meanwhile.
	s.setting.Lock()
	defer s.setting.Unlock()
	result := QuotaResult{Changes: make([]QuotaDiff, 0, len(req.Changes))}
	overrides := make([]Override, 0, len(req.Changes))
	var wrong []Problem
	first := map[[2]string]int{}
	for i := range req.Changes {
		if len(wrong) == maxProblems {
			wrong = append(wrong, Problem{Message: "and perhaps more: the rest was not looked at"})
			break
		}
		c := &req.Changes[i]
		key := [2]string{string(c.Hub), c.Name.String()}
		override, diff, err := s.plan(c, req.AllowMissing)
		if before, twice := first[key]; err == nil && twice {
			err = fmt.Errorf("%s/%s is here a second time, after change %d: take one of them out", c.Hub, c.Name, before+1)
		}
		first[key] = i
		if err != nil {
			wrong = append(wrong, Problem{Message: err.Error(), Index: &i})
			continue
		}
		if override != diff.before {
			overrides = append(overrides, Override{Hub: c.Hub, Home: c.Name.String(), Quota: override})
		}
		result.Changes = append(result.Changes, diff.QuotaDiff)
	}
	if len(wrong) > 0 {
		return nil, refusal{http.StatusUnprocessableEntity, wrong}
	}
	if req.DryRun || len(overrides) == 0 {
		return result, nil
	}
	if err := s.ledger.SetQuotas(overrides); err != nil {
		return nil, err
	}
	s.logSet(overrides)
	return result, nil
}

// listQuotas tells of the quotas that were set at run time.
func (s *Server) listQuotas(r *http.Request) (any, error) {
	values, err := params(r, "hub")
	if err != nil {
		return nil, err
	}
	if err := s.needLedger("there are no quotas"); err != nil {
		return nil, err
	}
	want, one := hubhome.HubName(values.Get("hub")), values.Has("hub")
	report := s.homes.Report()
	there, served := map[[2]string]bool{}, false
	for i := range report.Hubs {
		hub := &report.Hubs[i]
		served = served || hub.Name == want
		for j := range hub.Homes {
			there[[2]string{string(hub.Name), hub.Homes[j].Name}] = true
		}
	}
	list := SetQuotaList{Quotas: []SetQuota{}}
	for _, o := range s.ledger.Overrides() {
		if one && o.Hub != want {
			continue
		}
		list.Quotas = append(list.Quotas, SetQuota{
			Hub: o.Hub, Name: NewName(o.Home), Override: overrideOf(o.Quota), Missing: !there[[2]string{string(o.Hub), o.Home}],
		})
	}
	if one && !served && len(list.Quotas) == 0 {
		return nil, noHub(string(want), &report)
	}
	return list, nil
}

// logSet takes note of what an operator has set: a few of it in full.
func (s *Server) logSet(overrides []Override) {
	const most = 10
	for i, o := range overrides {
		if i == most {
			s.log.Info("set quotas", "more", len(overrides)-most)
			return
		}
		bytes, inodes := takeBack, takeBack
		if o.Quota.Bytes != 0 {
			bytes = hubhome.FormatQuotaBytes(o.Quota.Bytes)
		}
		if o.Quota.Inodes != 0 {
			inodes = hubhome.FormatQuotaInodes(o.Quota.Inodes)
		}
		s.log.Info("set a quota", "hub", o.Hub, "home", o.Home, "bytes", bytes, "inodes", inodes)
	}
}

// plannedDiff is a diff with what was set at run time before.
type plannedDiff struct {
	QuotaDiff
	before hubhome.Quota
}

// plan says what a change makes of what is set at run time.
func (s *Server) plan(c *QuotaChange, allowMissing bool) (override hubhome.Quota, diff plannedDiff, err error) {
	name := c.Name.String()
	home, there, err := s.homes.Home(c.Hub, name)
	impossible := vfs.CheckName(name)
	switch {
	case errors.Is(err, quota.ErrNoHub):
		report := s.homes.Report()
		return override, diff, errors.New(unknownHub(string(c.Hub), &report))
	case err != nil:
		return override, diff, err
	case name == "":
		return override, diff, errors.New("no home is named")
	case impossible != nil:
		return override, diff, fmt.Errorf("%.70q cannot be the name of a home in hub %q: %w", name, c.Hub, impossible)
	case !there && !allowMissing && !(c.takesBack() && home.Override != hubhome.Quota{}):
		return override, diff, errors.New(unknownHome(c.Hub, name, home.Override))
	}
	override = home.Override
	if err := change(c.Bytes, &override.Bytes, hubhome.ParseQuotaBytes); err != nil {
		return override, diff, err
	}
	if err := change(c.Inodes, &override.Inodes, hubhome.ParseQuotaInodes); err != nil {
		return override, diff, err
	}
	if c.Bytes == "" && c.Inodes == "" {
		return override, diff, fmt.Errorf("nothing is said of the quota of %s/%s: write a size, unlimited or default", c.Hub, name)
	}
	return override, plannedDiff{QuotaDiff{
		Hub: c.Hub, Name: c.Name, Before: limitOf(home.Quota), After: limitOf(override.Or(home.Declared)),
		OverrideBefore: overrideOf(home.Override), OverrideAfter: overrideOf(override), Usage: amountOf(home.Used), Missing: !there,
	}, home.Override}, nil
}

// takesBack tells whether a change sets nothing.
func (c *QuotaChange) takesBack() bool {
	return (c.Bytes == "" || c.Bytes == takeBack) && (c.Inodes == "" || c.Inodes == takeBack)
}

// change reads what one limit shall be.
func change[T hubhome.Bytes | int64](text string, limit *T, parse func(string) (T, error)) error {
	switch text {
	case "":
		return nil
	case takeBack:
		*limit = 0
		return nil
	}
	to, err := parse(text)
	if err != nil {
		return err
	}
	*limit = to
	return nil
}
