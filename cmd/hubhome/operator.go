// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/hubhome/hubhome"
	"github.com/hubhome/hubhome/config"
	"github.com/hubhome/hubhome/console"
)

// How long a command waits for a server's answer: for what it knows, and for what it has to look for on the disk.
const (
	askTime  = 30 * time.Second
	walkTime = 11 * time.Minute
)

// operatorHelp is what the help of each command says that asks a server.
const operatorHelp = `
It asks the server that runs on this machine, over a socket that the server's own user and root alone can use. --config is
the server's configuration, which says where that is. Without it /etc/hubhome/hubhome.yaml is read, which is the server's in
the pod of the chart home-server.`

// defaultConfig is the configuration of a server that is asked, where none is named.
var defaultConfig = "/etc/hubhome/hubhome.yaml"

// configOr is the configuration that was named, or else the default where it is there.
func configOr(named, toAsk string) (string, error) {
	if named != "" {
		return named, nil
	}
	if _, err := os.Stat(defaultConfig); errors.Is(err, os.ErrNotExist) {
		return "", usageError{fmt.Errorf("%s; without one %s is read, which is not there", toAsk, defaultConfig)}
	}
	return defaultConfig, nil
}

// operatorFlags say which server to ask.
type operatorFlags struct{ config, socket string }

func (f *operatorFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.config, "config", "", "the server's configuration `FILE` (/etc/hubhome/hubhome.yaml if not given)")
	cmd.Flags().StringVar(&f.socket, "socket", "", "the server's admin socket, a `PATH`, instead of --config")
}

// check says what is wrong with the flags, and finds the configuration.
func (f *operatorFlags) check() (err error) {
	switch {
	case f.config != "" && f.socket != "":
		err = usageError{errors.New("--config and --socket both say which server to ask; leave one of them out")}
	case f.socket == "":
		f.config, err = configOr(f.config, "say which server to ask: --config FILE, or --socket PATH")
	}
	return err
}

// client returns a client of the server. Close it.
func (f *operatorFlags) client() (*console.Client, error) {
	if f.socket != "" {
		return console.NewClient(f.socket), nil
	}
	c, err := config.Load(f.config)
	if err != nil {
		return nil, err
	}
	return console.NewClient(c.Admin.Socket), nil
}

// ask calls fn with a client of the server, and a context that ends when the time is over or somebody interrupts.
func (f *operatorFlags) ask(cmd *cobra.Command, patience time.Duration, fn func(context.Context, *console.Client) error) error {
	client, err := f.client()
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return fn(ctx, client)
}

// parseHome reads HUB/USER. What is behind the first slash is the name of a directory, of bytes of any kind.
func parseHome(text string) (hubhome.HubName, string, error) {
	hub, home, both := strings.Cut(text, "/")
	if !both || hub == "" || home == "" || strings.Contains(home, "/") {
		return "", "", usageError{fmt.Errorf("%q is no home: write HUB/USER, such as prod/ada", text)}
	}
	name, err := hubhome.ParseHubName(hub)
	if err != nil {
		return "", "", usageError{err}
	}
	return name, home, nil
}
