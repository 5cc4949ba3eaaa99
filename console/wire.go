// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package console

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/quota"
)

// Amount is bytes and inodes.
type Amount struct {
	Bytes  int64 `json:"bytes"`
	Inodes int64 `json:"inodes"`
}

// Limit is a quota. What is not limited is null.
type Limit struct {
	Bytes  *int64 `json:"bytes"`
	Inodes *int64 `json:"inodes"`
}

// Name is the name of a directory. Names are bytes: of one that is not UTF-8, Text has U+FFFD for what is not, and Base64
// has the bytes.
type Name struct {
	Text   string `json:"name"`
	Base64 []byte `json:"nameBase64,omitempty"`
}

// NewName returns a name as it goes over the wire.
func NewName(name string) Name {
	if utf8.ValidString(name) {
		return Name{Text: name}
	}
	return Name{Text: strings.ToValidUTF8(name, "\ufffd"), Base64: []byte(name)}
}

// String returns the name itself.
func (n Name) String() string {
	if n.Base64 != nil {
		return string(n.Base64)
	}
	return n.Text
}

// Home is a home or a shared directory as the ledger knows it at one moment.
type Home struct {
	Hub hubhome.HubName `json:"hub"`
	Name
	Usage Amount `json:"usage"`
	Quota Limit  `json:"quota"`
	// Override is what of the quota was set at run time; none: the configuration alone says it.
	Override *Limit `json:"override,omitempty"`
	// Reserve is what is used of the reserve; absent where nothing is, as Denials where nothing was denied.
	Reserve Amount `json:"reserve,omitzero"`
	// LastWrite is absent where none is known.
	LastWrite time.Time   `json:"lastWrite,omitzero"`
	State     quota.State `json:"state"`
	Denials   Denials     `json:"denials,omitzero"`
	// Fault is why the home could not be counted, where its State says so, or is not yet.
	Fault string `json:"fault,omitempty"`
	// Unread is how many files and directories could not be read, and may be missing in the figures.
	Unread uint64 `json:"unread,omitempty"`
	// AsOf is since when the figures are known, where they are not those of this moment.
	AsOf time.Time `json:"asOf,omitzero"`
}

// Denials is what was refused since the server started, by what was spent.
type Denials struct {
	Bytes     uint64 `json:"bytes"`
	Inodes    uint64 `json:"inodes"`
	HubBytes  uint64 `json:"hubBytes"`
	HubInodes uint64 `json:"hubInodes"`
}

// Hub is a hub at one moment.
type Hub struct {
	Name  hubhome.HubName `json:"name"`
	Usage Amount          `json:"usage"`
	Quota Limit           `json:"quota"`
	// Homes is how many homes and shared directories it has; Uncounted how many of them are yet to be counted, or are, or could
	// not be read in full.
	Homes     int `json:"homes"`
	Uncounted int `json:"uncounted"`
	// AsOf is since when all of the figures are known, where they are not those of this moment. Unknown: not all of its homes
	// are known yet, and the usage is too low.
	AsOf    time.Time `json:"asOf,omitzero"`
	Unknown bool      `json:"unknown,omitempty"`
	// Absent: there is no such hub on the server that was looked through; what else is said of it is from before.
	Absent bool `json:"absent,omitempty"`
}

// HubList is what GET /v1/hubs answers.
type HubList struct {
	Hubs []Hub `json:"hubs"`
}

// HomeList is what GET /v1/homes answers: all homes, or those of `?hub=`, by hub and name.
type HomeList struct {
	Homes []Home `json:"homes"`
}

// HomeDetail is what GET /v1/hubs/HUB/homes/HOME answers, and /v1/hubs/HUB/homes/HOME/largest at last.
type HomeDetail struct {
	Home
	// Limits on what may still be written when the quota is spent.
	ReserveLimit Amount `json:"reserveLimit"`
	// Largest are its largest directories, where they were asked for.
	Largest []Directory `json:"largest,omitempty"`
	// LargestUnread is how many files and directories could not be read: they, and what is in them, are not in Largest.
	LargestUnread int `json:"largestUnread,omitempty"`
}

// Directory is a directory in a home, with all that is below it.
type Directory struct {
	Name         // the path in the home
	Usage Amount `json:"usage"`
}

// QuotaChange says what the quota of one home shall be.
type QuotaChange struct {
	Hub hubhome.HubName `json:"hub"`
	Name
	// Bytes is a size with its unit, such as 20GiB; Inodes a number. Either may be "unlimited", and "default", which takes
	// back what was set at run time. What is empty stays as it is.
	Bytes  string `json:"bytes,omitempty"`
	Inodes string `json:"inodes,omitempty"`
}

// QuotaRequest is what POST /v1/quotas wants.
type QuotaRequest struct {
	// DryRun: tell what would change, and change nothing.
	DryRun bool `json:"dryRun,omitempty"`
	// AllowMissing: a home need not be there yet.
	AllowMissing bool          `json:"allowMissing,omitempty"`
	Changes      []QuotaChange `json:"changes"`
}

// QuotaResult is what it answers: for each change, in their order, what was and what is, or would be.
type QuotaResult struct {
	Changes []QuotaDiff `json:"changes"`
}

// QuotaDiff is what one change does.
type QuotaDiff struct {
	Hub hubhome.HubName `json:"hub"`
	Name
	Before Limit `json:"before"`
	After  Limit `json:"after"`
	// OverrideBefore and OverrideAfter are what of them is set at run time.
	OverrideBefore Limit  `json:"overrideBefore"`
	OverrideAfter  Limit  `json:"overrideAfter"`
	Usage          Amount `json:"usage"`
	// Missing: the home is not there yet.
	Missing bool `json:"missing,omitempty"`
}

// SetQuota is a quota that was set at run time.
type SetQuota struct {
	Hub hubhome.HubName `json:"hub"`
	Name
	// Override is what was set: null what was not, -1 unlimited.
	Override Limit `json:"override"`
	// Missing: the home is not there, or its hub is not served.
	Missing bool `json:"missing,omitempty"`
}

// SetQuotaList is what GET /v1/quotas answers: all that were set, or those of `?hub=`, by hub and name.
type SetQuotaList struct {
	Quotas []SetQuota `json:"quotas"`
}

// Problem is why a request was not done.
type Problem struct {
	Message string `json:"message"`
	// Index is that of the change that is wrong, from 0.
	Index *int `json:"index,omitempty"`
}

func (p Problem) Error() string { return p.Message }

// Failure is the answer of a request that was not done.
type Failure struct {
	Errors []Problem `json:"errors"`
}

func limitOf(q hubhome.Quota) Limit {
	var l Limit
	if q.Bytes != hubhome.Unlimited {
		l.Bytes = (*int64)(&q.Bytes)
	}
	if q.Inodes != hubhome.UnlimitedInodes {
		l.Inodes = &q.Inodes
	}
	return l
}

// overrideOf is a quota in which 0 is what was not set: null stands for that, and for unlimited -1.
func overrideOf(q hubhome.Quota) Limit {
	return Limit{Bytes: setting(int64(q.Bytes)), Inodes: setting(q.Inodes)}
}

func setting(n int64) *int64 {
	switch n {
	case 0:
		return nil
	case int64(hubhome.Unlimited):
		n = -1
	}
	return &n
}

func amountOf(u quota.Usage) Amount { return Amount(u) }

func homeOf(hub hubhome.HubName, r *quota.HomeReport) Home {
	h := Home{
		Hub: hub, Name: NewName(r.Name), Usage: amountOf(r.Used), Quota: limitOf(r.Quota), Reserve: amountOf(r.Past),
		LastWrite: r.LastWrite.UTC(), State: r.State, Denials: Denials(r.Denials),
		AsOf: r.AsOf.UTC(), Fault: r.Fault, Unread: r.Unread,
	}
	if r.Override != (hubhome.Quota{}) {
		set := overrideOf(r.Override)
		h.Override = &set
	}
	return h
}

func hubOf(r *quota.HubReport, scanned bool) Hub {
	h := Hub{
		Name: r.Name, Usage: amountOf(r.Used), Quota: limitOf(r.Quota), Homes: len(r.Homes), AsOf: r.AsOf.UTC(),
		Unknown: scanned && r.AsOf.IsZero(), Absent: r.Absent,
	}
	for i := range r.Homes {
		if state := r.Homes[i].State; state != quota.Clean && state != quota.Scanned {
			h.Uncounted++
		}
	}
	return h
}
