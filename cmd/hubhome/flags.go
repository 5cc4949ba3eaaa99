// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagProblem says what is wrong with the flags of a command.
func flagProblem(cmd *cobra.Command, err error) error {
	if _, unknown := errors.AsType[*pflag.NotExistError](err); unknown && cmd.HasSubCommands() {
		// It has none: they are those of the subcommand whose name is misspelt before them.
		if args := cmd.Flags().Args(); len(args) > 0 {
			return noSuchCommand(cmd, args)
		}
	}
	if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		how := "see " + cmd.CommandPath() + " --help"
		switch wrong.GetFlag().Value.Type() {
		case "int":
			how = "write a whole number"
		case "uint16":
			how = "write a number from 0 to 65535"
		case "duration":
			how = "write a time with its unit, such as 90s or 24h"
		case "bool":
			how = "write true or false, or nothing"
		}
		return fmt.Errorf("--%s %q: %s", wrong.GetFlag().Name, wrong.GetValue(), how)
	}
	return fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())
}
