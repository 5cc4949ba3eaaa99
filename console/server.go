// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package console

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/quota"
)

// Bounds of what a request may take.
const (
	maxBody     = 64 << 20 // bytes: the quotas of some hundred thousand homes
	longBody    = 1 << 20  // bytes: of longer ones there is one at a time, since what is made of it takes some times as much
	maxHeader   = 64 << 10
	maxRequests = 16 // at the same time
	headerTime  = 5 * time.Second
	bodyTime    = 30 * time.Second
	answerTime  = 60 * time.Second
	idleTime    = 60 * time.Second
	stopTime    = 2 * time.Second
	beatTime    = 10 * time.Second // between two signs of life of a check
	lookTime    = time.Second      // between two that tell how far the walk through a home is
	// walkTime is how long the walk through one home may take.
	walkTime = 10 * time.Minute
	// MaxLargest is how many of its directories a home may be asked for.
	MaxLargest = 1000
)

// Server answers the JSON API. Its methods may be called concurrently.
type Server struct {
	homes   Homes
	ledger  Ledger // nil where somebody else serves the homes
	log     *slog.Logger
	running chan struct{}
	long    chan struct{} // has what is at work on a long body
	mux     *http.ServeMux
	setting sync.Mutex // one change of quotas at a time

	beatTime, lookTime time.Duration
}

// NewServer returns a server. Where homes are no Ledger, what is asked of one is refused.
func NewServer(homes Homes, log *slog.Logger) *Server {
	s := &Server{homes: homes, log: log, running: make(chan struct{}, maxRequests), long: make(chan struct{}, 1), mux: http.NewServeMux(), beatTime: beatTime, lookTime: lookTime}
	s.ledger, _ = homes.(Ledger)
	for pattern, handler := range map[string]func(*http.Request) (any, error){
		"GET /v1/hubs":                    s.listHubs,
		"GET /v1/homes":                   s.listHomes,
		"GET /v1/hubs/{hub}/homes/{home}": s.showHome,
		"GET /v1/quotas":                  s.listQuotas,
		"POST /v1/quotas":                 s.setQuotas,
	} {
		s.mux.HandleFunc(pattern, s.answer(handler))
	}
	s.mux.HandleFunc("GET /v1/hubs/{hub}/homes/{home}/largest", s.admit(s.showLargest))
	s.mux.HandleFunc("POST /v1/check", s.admit(s.check))
	s.mux.HandleFunc("/", s.answer(func(r *http.Request) (any, error) {
		return nil, refusal{http.StatusNotFound, []Problem{{Message: fmt.Sprintf("there is no %s %s here: this is perhaps a server of another version than the command", r.Method, r.URL.Path)}}}
	}))
	return s
}

// Serve answers by a listener until ctx ends, and then the requests that run for 2 s. It closes the listener, and returns when
// the last request has ended: what they ask, the store, may be closed then.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := &http.Server{
		Handler: s.mux, MaxHeaderBytes: maxHeader, ReadHeaderTimeout: headerTime,
		WriteTimeout: answerTime, IdleTimeout: idleTime, BaseContext: func(net.Listener) context.Context { return base },
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(stopped)
		patience, end := context.WithTimeout(base, stopTime)
		defer end()
		if server.Shutdown(patience) != nil {
			cancel()
			server.Close()
		}
	})
	err := server.Serve(listener)
	if unwatch() { // it ended by itself
		cancel()
		server.Close()
	} else {
		<-stopped
		err = nil
	}
	for range maxRequests { // none begins any more
		s.running <- struct{}{}
	}
	return err
}

// refusal is an error with the status that says whose it is.
type refusal struct {
	status   int
	problems []Problem
}

func (r refusal) Error() string { return r.problems[0].Message }

// needLedger refuses what takes homes that the server serves itself.
func (s *Server) needLedger(what string) error {
	if s.ledger != nil {
		return nil
	}
	return refuse(http.StatusNotImplemented, "%s: the homes are on an NFS server that somebody else runs (store.nfs), and "+
		"hubhome looks through them now and then", what)
}

func refuse(status int, format string, args ...any) error {
	return refusal{status, []Problem{{Message: fmt.Sprintf(format, args...)}}}
}

// answer makes a handler of a function that returns what to say in JSON.
func (s *Server) answer(handle func(*http.Request) (any, error)) http.HandlerFunc {
	return s.admit(func(w http.ResponseWriter, r *http.Request) error {
		result, err := handle(r)
		if err != nil {
			return err
		}
		return s.reply(w, http.StatusOK, result)
	})
}

// admit makes a handler of a function that answers, or returns why it has not begun to. It bounds how many run, and reads the
// whole request first: what takes long afterwards is the server's own time. One that panics is logged, and gets no answer.
func (s *Server) admit(handle func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case s.running <- struct{}{}:
			defer func() {
				if p := recover(); p != nil {
					s.log.Error("request of an administrator", "method", r.Method, "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
					defer panic(http.ErrAbortHandler) // which is the connection's end, and logged no more
				}
				<-s.running
			}()
		default:
			s.refused(w, r, refuse(http.StatusServiceUnavailable, "%d requests are running already: try again", maxRequests))
			return
		}
		control := http.NewResponseController(w)
		body, done, err := s.body(w, r)
		defer done()
		if err == nil {
			control.SetReadDeadline(time.Time{})
			r.Body = io.NopCloser(bytes.NewReader(body))
			err = handle(w, r)
		} else if _, tooLong := errors.AsType[*http.MaxBytesError](err); tooLong {
			err = refuse(http.StatusRequestEntityTooLarge, "the request is longer than %d bytes: make it several", maxBody)
		}
		if err != nil {
			s.refused(w, r, err)
		}
	}
}

// body reads a request's body. done is called when nothing of it is needed any more.
func (s *Server) body(w http.ResponseWriter, r *http.Request) (body []byte, done func(), err error) {
	control, done := http.NewResponseController(w), func() {}
	from := http.MaxBytesReader(w, r.Body, maxBody)
	control.SetReadDeadline(time.Now().Add(bodyTime))
	begin, err := io.ReadAll(io.LimitReader(from, longBody))
	if err != nil || len(begin) < longBody {
		return begin, done, err
	}
	patience := time.NewTimer(bodyTime)
	defer patience.Stop()
	select {
	case s.long <- struct{}{}:
		done = func() { <-s.long }
	case <-patience.C:
		return nil, done, refuse(http.StatusServiceUnavailable, "another request is running that is as long: try again")
	}
	control.SetReadDeadline(time.Now().Add(bodyTime))
	rest, err := io.ReadAll(from)
	return append(begin, rest...), done, err
}

// refused answers why something was not done.
func (s *Server) refused(w http.ResponseWriter, r *http.Request, err error) {
	status, failure := s.failure(r, err)
	s.reply(w, status, failure)
}

// reply answers in JSON. It returns no error: one that reads no answer is nobody's business, and logged for who looks for it.
func (s *Server) reply(w http.ResponseWriter, status int, result any) error {
	// A walk may have taken longer than an answer.
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime))
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	var err error
	if list, ok := result.(HomeList); ok {
		err = list.write(w)
	} else {
		err = json.NewEncoder(w).Encode(result)
	}
	if err != nil {
		s.log.Debug("answer an administrator", "error", err)
	}
	return nil
}

// write writes the list home by home, so that who reads can begin.
func (l HomeList) write(w io.Writer) error {
	out := bufio.NewWriterSize(w, 64<<10)
	e := json.NewEncoder(out)
	out.WriteString(`{"homes":[`)
	for i := range l.Homes {
		if i > 0 {
			out.WriteByte(',')
		}
		if err := e.Encode(&l.Homes[i]); err != nil {
			return err
		}
	}
	out.WriteString("]}\n")
	return out.Flush()
}

// failure is what is answered for an error.
func (s *Server) failure(r *http.Request, err error) (int, Failure) {
	if refused, ok := errors.AsType[refusal](err); ok {
		return refused.status, Failure{Errors: refused.problems}
	}
	s.log.Error("request of an administrator", "method", r.Method, "path", r.URL.Path, "error", err)
	return http.StatusInternalServerError, Failure{Errors: []Problem{{Message: err.Error()}}}
}

// params refuses what is asked for that is not known: it would go unheard.
func params(r *http.Request, known ...string) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the query cannot be read: %v", err)
	}
next:
	for name, all := range values {
		for _, k := range known {
			if name == k && len(all) == 1 {
				continue next
			}
		}
		return nil, refuse(http.StatusBadRequest, "the parameter %q is not known here, or is there twice", name)
	}
	return values, nil
}

// decode reads a body that is one value of a type and nothing else.
func decode(r *http.Request, into any) error {
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("there is more behind it")
		}
	}
	if err != nil {
		return refuse(http.StatusBadRequest, "the request is not what it should be: %v; this is perhaps a server of another version than the command", err)
	}
	return nil
}

func (s *Server) listHubs(r *http.Request) (any, error) {
	if _, err := params(r); err != nil {
		return nil, err
	}
	report := s.homes.Report()
	list := HubList{Hubs: make([]Hub, 0, len(report.Hubs))}
	for i := range report.Hubs {
		list.Hubs = append(list.Hubs, hubOf(&report.Hubs[i], report.Scanned))
	}
	return list, nil
}

func (s *Server) listHomes(r *http.Request) (any, error) {
	values, err := params(r, "hub")
	if err != nil {
		return nil, err
	}
	report := s.homes.Report()
	want, one := hubhome.HubName(values.Get("hub")), values.Has("hub")
	list := HomeList{Homes: []Home{}}
	found := false
	for i := range report.Hubs {
		hub := &report.Hubs[i]
		if one && hub.Name != want {
			continue
		}
		found = true
		for j := range hub.Homes {
			list.Homes = append(list.Homes, homeOf(hub.Name, &hub.Homes[j]))
		}
	}
	if one && !found {
		return nil, noHub(string(want), &report)
	}
	return list, nil
}

// noHub is what is answered for a hub that is not served.
func noHub(name string, report *quota.Report) error {
	return refusal{http.StatusNotFound, []Problem{{Message: unknownHub(name, report)}}}
}

func unknownHub(name string, report *quota.Report) string {
	const most = 10
	var names []string
	for _, h := range report.Hubs {
		names = append(names, string(h.Name))
	}
	switch {
	case len(names) == 0 && report.Scanned:
		return fmt.Sprintf("nothing is known of a hub %q, nor of another: no scan of the server has found one yet; the log says what they come to", name)
	case report.Scanned && len(names) <= most:
		return fmt.Sprintf("nothing is known of a hub %q; these are looked through: %s", name, strings.Join(names, ", "))
	case len(names) == 0:
		return fmt.Sprintf("no hub %q is served, and no other: hubs in the configuration says which are", name)
	case len(names) > most:
		return fmt.Sprintf("no hub %q is served: hubhome hub list says which are", name)
	}
	return fmt.Sprintf("no hub %q is served; these are: %s", name, strings.Join(names, ", "))
}

// unknownHome is what is said of a home that is not there, with what is set for it at run time.
func unknownHome(hub hubhome.HubName, name string, set hubhome.Quota) string {
	hint := "hubhome home list " + string(hub) + " says which are"
	if dirs := directories(name); len(dirs) > 0 {
		hint = "the directory of the user " + strconv.Quote(name) + " is called " + strings.Join(dirs, " or ") + " (hubhome username); " + hint
	}
	if set != (hubhome.Quota{}) {
		hint += "; a quota is set for it all the same, which default takes back"
	}
	return fmt.Sprintf("there is no home %q in hub %q: %s", name, hub, hint)
}

// directories are what KubeSpawner calls the directory of a user, where that is something else than the name.
func directories(name string) []string {
	var dirs []string
	for _, scheme := range []func(string) (string, error){hubhome.SafeUsername, hubhome.EscapeUsername} {
		if dir, err := scheme(name); err == nil && dir != name && (len(dirs) == 0 || dirs[0] != dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// absent tells whether a hub was looked for, and is not there.
func (s *Server) absent(hub hubhome.HubName) bool {
	report := s.homes.Report()
	return slices.ContainsFunc(report.Hubs, func(h quota.HubReport) bool { return h.Name == hub && h.Absent })
}

// unknown tells whether not all homes of a hub are known yet.
func (s *Server) unknown(hub hubhome.HubName) bool {
	report := s.homes.Report()
	return slices.ContainsFunc(report.Hubs, func(h quota.HubReport) bool {
		return h.Name == hub && report.Scanned && h.AsOf.IsZero()
	})
}

func (s *Server) showHome(r *http.Request) (any, error) {
	if _, err := params(r); err != nil {
		return nil, err
	}
	return s.detail(hubhome.HubName(r.PathValue("hub")), r.PathValue("home"))
}

// detail is what is known of a home, or why there is none.
func (s *Server) detail(hub hubhome.HubName, name string) (HomeDetail, error) {
	var detail HomeDetail
	home, there, err := s.homes.Home(hub, name)
	switch {
	case errors.Is(err, quota.ErrNoHub):
		report := s.homes.Report()
		return detail, noHub(string(hub), &report)
	case err != nil:
		return detail, err
	case !there && s.absent(hub):
		return detail, refuse(http.StatusNotFound, "no home %q is known in hub %q: there is no such hub on the server", name, hub)
	case !there && s.unknown(hub):
		return detail, refuse(http.StatusNotFound, "no home %q is known in hub %q: its homes have not been looked through to the end yet", name, hub)
	case !there:
		return detail, refusal{http.StatusNotFound, []Problem{{Message: unknownHome(hub, name, home.Override)}}}
	}
	detail.Home = homeOf(hub, &home)
	if s.ledger != nil {
		reserve := s.ledger.Reserve()
		detail.ReserveLimit = Amount{int64(reserve.Bytes), reserve.Inodes}
	}
	return detail, nil
}
