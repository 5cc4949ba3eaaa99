// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package metrics

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Bounds of what a scrape may take.
const (
	maxScrapes = 4 // at the same time
	scrapeTime = 20 * time.Second
	writeTime  = 30 * time.Second
	headerTime = 5 * time.Second
	idleTime   = 2 * time.Minute
	maxHeader  = 32 << 10
)

// Serve answers /metrics by a listener until ctx ends. It closes the listener.
func Serve(ctx context.Context, listener net.Listener, from prometheus.Gatherer, log *slog.Logger) error {
	errorLog := slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(from, promhttp.HandlerOpts{
		// What can be told is told: figures of homes do not depend on a disk that does not answer.
		ErrorHandling: promhttp.ContinueOnError, ErrorLog: errorLog, MaxRequestsInFlight: maxScrapes, Timeout: scrapeTime,
		EnableOpenMetrics: true,
	}))
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
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}
