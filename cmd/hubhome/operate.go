// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/config"
	"github.com/hubhome/hubhome/console"
	"github.com/hubhome/hubhome/disk"
	"github.com/hubhome/hubhome/metrics"
	"github.com/hubhome/hubhome/store"
	"github.com/hubhome/hubhome/warning"
)

const (
	adminSocketKey   = "admin.socket"
	metricsListenKey = "metrics.listen"
)

// operation is what an operator has of a server: the API of the administrators, the metrics, the warnings.
type operation struct {
	log   *slog.Logger
	homes console.Homes

	admin, page net.Listener // page is nil where there are no metrics
	console     *console.Server
	registry    *prometheus.Registry
	watch       *warning.Watch // nil where there are no quotas

	mostHomes atomic.Int64
	served    atomic.Pointer[[]hubhome.HubName]
	reloads   reloadMetrics
}

// meters are what counts while the server works. They are there before the store is.
type meters struct {
	syncs      metrics.Syncs
	operations *metrics.Operations
}

// disk makes system calls that are counted.
func (m *meters) disk() *disk.Disk { return &disk.Disk{Synced: m.syncs.Observe} }

// reloadMetrics are named as Prometheus names those of its own configuration.
type reloadMetrics struct{ successful, when prometheus.Gauge }

// homes is the store as the console wants it.
type homes struct{ *store.Store }

// SetQuotas sets quotas at run time.
func (h homes) SetQuotas(set []console.Override) error {
	all := make([]store.Override, len(set))
	for i, o := range set {
		all[i] = store.Override(o)
	}
	return h.Store.SetQuotas(all)
}

// Overrides are the quotas that were set at run time.
func (h homes) Overrides() []console.Override {
	set := h.Store.Overrides()
	all := make([]console.Override, len(set))
	for i, o := range set {
		all[i] = console.Override(o)
	}
	return all
}

// Check compares the ledger with the disk.
func (h homes) Check(ctx context.Context, repair bool, tell func(console.Checked) error) error {
	return h.Store.CheckServed(ctx, repair, func(c store.Checked) error { return tell(console.Checked(c)) })
}

// listenOperation listens where an operator is answered. close gives it back.
func listenOperation(log *slog.Logger, c *config.Config, homes console.Homes) (_ *operation, err error) {
	o := &operation{log: log, homes: homes, console: console.NewServer(homes, log)}
	defer func() {
		if err != nil {
			o.close()
		}
	}()
	if o.admin, err = console.Listen(c.Admin.Socket); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", c.Place(adminSocketKey), adminSocketKey, err)
	}
	if c.Metrics.Listen != "" {
		if o.page, err = listenAt(c, metricsListenKey, c.Metrics.Listen); err != nil {
			return nil, err
		}
	}
	o.set(c)
	return o, nil
}

// warn has somebody told of homes that fill up.
func (o *operation) warn(c *config.Config, s *store.Store) {
	o.watch = warning.New(warning.Options{Report: s.Report, Keeper: s, Logger: o.log}, warnings(c))
	if err := o.watch.Open(); err != nil {
		o.log.Error("warnings that were given already may be given again", "error", err)
	}
}

// hubs are those that are served.
func (o *operation) hubs() []hubhome.HubName { return *o.served.Load() }

// set takes a configuration over.
func (o *operation) set(c *config.Config) {
	o.mostHomes.Store(int64(c.Metrics.Homes))
	names := make([]hubhome.HubName, len(c.Hubs))
	for i, h := range c.Hubs {
		names[i] = h.Name
	}
	o.served.Store(&names)
	if o.watch != nil {
		o.watch.Set(warnings(c))
	}
}

// warnings are a configuration's as the watch wants them.
func warnings(c *config.Config) warning.Settings {
	w := warning.Settings{
		At: c.Warnings.At, File: c.Warnings.File, Webhook: c.Warnings.Webhook, WebhookFile: c.Warnings.WebhookFile,
		Agent: "hubhome/" + versionNumber(),
	}
	if w.File == config.Stdout {
		w.File, w.Out = "", os.Stdout
	}
	return w
}

// register makes the registry of what is told to Prometheus: of homes, the process and the configuration, and what else there
// is.
func (o *operation) register(more ...prometheus.Collector) {
	o.registry = prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "hubhome_build_info", Help: "Which hubhome this is; always 1.",
		ConstLabels: prometheus.Labels{"version": versionNumber(), "goversion": runtime.Version()},
	})
	build.Set(1)
	o.reloads = reloadMetrics{
		successful: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hubhome_config_last_reload_successful", Help: "Whether the configuration was taken over when it changed last.",
		}),
		when: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "hubhome_config_last_reload_success_timestamp_seconds", Help: "When the configuration was last taken over.",
		}),
	}
	o.reloaded(true)
	o.registry.MustRegister(
		build, o.reloads.successful, o.reloads.when,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		metrics.Guard(&metrics.Homes{Report: o.homes.Report, Most: func() int { return int(o.mostHomes.Load()) }}),
	)
	for _, c := range more {
		o.registry.MustRegister(metrics.Guard(c))
	}
}

// reloaded tells what became of the last reload.
func (o *operation) reloaded(taken bool) {
	if !taken {
		o.reloads.successful.Set(0)
		return
	}
	o.reloads.successful.Set(1)
	o.reloads.when.SetToCurrentTime()
}

// run answers operators until ctx ends.
func (o *operation) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return wrap("serve the admin socket", o.console.Serve(ctx, o.admin)) })
	if o.page != nil {
		o.log.Info("telling Prometheus", "address", o.page.Addr().String())
		group.Go(func() error { return wrap("serve metrics", metrics.Serve(ctx, o.page, o.registry, o.log)) })
	}
	if o.watch != nil {
		group.Go(func() error { return o.watch.Run(ctx) })
	}
	return group.Wait()
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// close gives back what listens.
func (o *operation) close() {
	for _, l := range []net.Listener{o.admin, o.page} {
		if l != nil {
			l.Close()
		}
	}
}
