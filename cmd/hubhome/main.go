// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Command hubhome serves the home directories of JupyterHub users.
//
// It owns flags, wiring and what is printed. It alone ends the process.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hubhome/hubhome/config"
)

// The exit codes, as the help of the root command lists them.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

func main() {
	os.Exit(run(os.Args[1:]))
}

// run runs a command and returns its exit code.
func run(args []string) int {
	started := false
	root := newRoot()
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	root.SetArgs(args)
	err := root.Execute()
	if err == nil {
		return exitOK
	}
	report(root.ErrOrStderr(), err)
	if exit, ok := errors.AsType[exitError](err); ok {
		return exit.code
	}
	if _, usage := errors.AsType[usageError](err); usage || !started {
		return exitUsage
	}
	return exitFailed
}

// report writes an error for people. What is wrong with a configuration is one line for each problem, as compilers do.
func report(w io.Writer, err error) {
	if problems, ok := errors.AsType[config.Problems](err); ok {
		fmt.Fprintln(w, problems)
		err = fmt.Errorf("%s: not a valid configuration: %s", problems[0].File, count(len(problems), "problem"))
	}
	errs := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		errs = joined.Unwrap()
	}
	for _, err := range errs {
		fmt.Fprintln(w, "hubhome: "+strings.TrimSpace(err.Error()))
	}
}

// usageError is a mistake in how a command was called.
type usageError struct{ error }

// exitError is an error with an exit code of its own.
type exitError struct {
	error
	code int
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "hubhome",
		Short: "Keep the home directories of JupyterHub users",
		Long: `hubhome keeps the home directories of JupyterHub users, and serves them over NFSv4.1 and 4.2.

Exit codes:
  0  done
  1  it could not be done, or the configuration is not valid
  2  the command was not called as its help says
A command whose help lists others has others.`,
		Args:          noSuchCommand,
		RunE:          needCommand,
		Version:       versionText(),
		SilenceErrors: true,
		SilenceUsage:  true,
		// Nobody asked for it.
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetFlagErrorFunc(flagProblem)
	root.SetVersionTemplate("{{.Version}}\n")
	root.AddCommand(newServe(), newHub(), newHome(), newStore(), newConfig(), newShare(), newCheck(), newUsage(), newUsername(), newDemo(), newVersion())
	return root
}

// noSuchCommand answers for a command that has only subcommands, where it is followed by something else.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2
	if names := cmd.SuggestionsFor(args[0]); len(names) > 0 {
		return fmt.Errorf("unknown command %q for %s; did you mean %s?", args[0], cmd.CommandPath(), strings.Join(names, " or "))
	}
	return fmt.Errorf("unknown command %q for %s; see %[2]s --help", args[0], cmd.CommandPath())
}

// needCommand answers for a command that has only subcommands.
func needCommand(cmd *cobra.Command, _ []string) error {
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			names = append(names, c.Name())
		}
	}
	return usageError{fmt.Errorf("say what to do: %s %s (or --help)", cmd.CommandPath(), strings.Join(names, "|"))}
}

// count is a number of things, such as "1 hub" and "2 hubs".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
