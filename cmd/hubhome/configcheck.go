// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hubhome/hubhome/config"
)

func newConfig() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Work on configurations",
		Args:  noSuchCommand,
		RunE:  needCommand,
	}
	cmd.AddCommand(newConfigCheck())
	return cmd
}

func newConfigCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Say what is wrong with a configuration, and where",
		Long: `Say what is wrong with a configuration: every problem, as FILE:LINE:COLUMN: KEY: what is wrong and what to do.
It reads the file alone, and neither looks for the store nor listens anywhere.

Exit codes:
  0  the configuration is valid
  1  it is not, or FILE cannot be read
  2  the command was not called as its help says`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("name one FILE, not %d: hubhome config check FILE", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := config.Load(args[0])
			if err != nil {
				return err
			}
			hubs := count(len(c.Hubs), "hub")
			if c.Store.IsRemote() && len(c.Hubs) == 0 {
				hubs = "all hubs that are found"
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: ok: %s\n", args[0], hubs)
			return err
		},
	}
}
