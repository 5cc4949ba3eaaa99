// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Bounds of what a scrape may take.
const (
	maxScrapes = 4 // at the same time: one that is answered, since each takes memory for all homes, and others that wait
	scrapeTime = 20 * time.Second
	writeTime  = 30 * time.Second
	headerTime = 5 * time.Second
	idleTime   = 2 * time.Minute
	maxHeader  = 32 << 10
)

// Serve answers /metrics by a listener until ctx ends. It closes the listener, and returns when the last scrape has ended: what
// that asks, the store, may be closed then.
func Serve(ctx context.Context, listener net.Listener, from prometheus.Gatherer, log *slog.Logger) error {
	scrapes := &scrapes{turn: make(chan struct{}, 1), room: make(chan struct{}, maxScrapes), Handler: promhttp.HandlerFor(from, promhttp.HandlerOpts{
		// What can be told is told: figures of homes do not depend on a disk that does not answer.
		ErrorHandling: promhttp.ContinueOnError, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		EnableOpenMetrics: true,
	})}
	defer scrapes.end()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", http.TimeoutHandler(scrapes, scrapeTime, fmt.Sprintf("the metrics could not be told in %v\n", scrapeTime)))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Write([]byte("hubhome: /metrics is for Prometheus\n"))
	})
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: headerTime, ReadTimeout: headerTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	unwatch := context.AfterFunc(ctx, func() { server.Close() })
	defer unwatch()
	if err := server.Serve(newCrowd(listener)); ctx.Err() == nil {
		server.Close()
		return err
	}
	return nil
}

// scrapes answers scrapes, one after the other.
type scrapes struct {
	http.Handler
	room, turn chan struct{}
}

func (s *scrapes) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case s.room <- struct{}{}:
		defer func() { <-s.room }()
	default:
		http.Error(w, fmt.Sprintf("%d scrapes are running or wait already", maxScrapes), http.StatusServiceUnavailable)
		return
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
		s.Handler.ServeHTTP(w, r)
	case <-r.Context().Done():
	}
}

// end waits for the one that is answered. None is from then on.
func (s *scrapes) end() { s.turn <- struct{}{} }
