// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package kube

// Refused says that a person has to decide something first, or to stop something. Nothing was done that would have to be
// undone.
type Refused struct{ Why string }

func (r *Refused) Error() string { return r.Why }

// Forbidden says that the API server does not let hubhome do something that it has to.
type Forbidden struct {
	// Verb and Resource are what was refused, such as get and persistentvolumes.
	Verb, Resource string
	// Rule is where the permission belongs, for people.
	Rule string
	Err  error
}

func (f *Forbidden) Error() string {
	return "not permitted to " + f.Verb + " " + f.Resource + ": " + f.Rule + ": " + f.Err.Error()
}

func (f *Forbidden) Unwrap() error { return f.Err }

// Late says that the time was over before what was waited for had happened.
type Late struct {
	// What was waited for, for people.
	What string
	// Err is what the API server, or the way to it, last had to say against it. It may be nil.
	Err error
}

func (l *Late) Error() string {
	if l.Err == nil {
		return l.What
	}
	return l.What + ": " + l.Err.Error()
}

func (l *Late) Unwrap() error { return l.Err }
