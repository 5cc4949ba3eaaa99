// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package console

import (
	"errors"
	"net/http"
	"syscall"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/quota"
)

// CheckRequest is what POST /v1/check wants.
type CheckRequest struct {
	// Repair makes the ledger right where it is not.
	Repair bool `json:"repair,omitempty"`
}

// CheckLine is one line of its answer, which has one for each home and a last one that says that all were told, or why not.
type CheckLine struct {
	Hub hubhome.HubName `json:"hub,omitempty"`
	Name
	Ledger Amount `json:"ledger"`
	Disk   Amount `json:"disk"`
	// Believed is false where the home is to be counted anyway.
	Believed bool `json:"believed,omitempty"`
	// Fault is why the home could not be counted.
	Fault string `json:"fault,omitempty"`

	Done  bool   `json:"done,omitempty"`
	Error string `json:"error,omitempty"`
}

// check counts homes, and tells of each when it is counted. While that takes, it says now and then that it goes on.
func (s *Server) check(w http.ResponseWriter, r *http.Request) error {
	if _, err := params(r); err != nil {
		return err
	}
	if err := s.needLedger("there is no ledger to compare"); err != nil {
		return err
	}
	var req CheckRequest
	if err := decode(r, &req); err != nil {
		return err
	}
	out := &lines{w: w, control: http.NewResponseController(w)}
	stop := beat(s.beatTime, func() error { return out.write(nil) })
	defer stop() // also where what follows panics: nobody may write then
	err := s.ledger.Check(r.Context(), req.Repair, func(c Checked) error {
		return out.say(CheckLine{Hub: c.Hub, Name: NewName(c.Home), Ledger: amountOf(c.Ledger), Disk: amountOf(c.Disk), Believed: c.Believed, Fault: c.Fault})
	})
	stop()
	switch {
	case err == nil:
		return out.say(CheckLine{Done: true})
	case out.began:
		return out.say(CheckLine{Error: err.Error()})
	case errors.Is(err, syscall.EBUSY):
		return refuse(http.StatusConflict, "%v", err)
	}
	return err
}

// usageOf is an amount as the ledger has it.
func usageOf(a Amount) quota.Usage { return quota.Usage(a) }

// checked is a line as it was told.
func (l *CheckLine) checked() Checked {
	return Checked{Hub: l.Hub, Home: l.Name.String(), Ledger: usageOf(l.Ledger), Disk: usageOf(l.Disk), Believed: l.Believed, Fault: l.Fault}
}
