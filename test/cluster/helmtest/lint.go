// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package helmtest

import (
	"errors"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chartutil"
)

// Lint is `helm lint --strict`: a warning is an error too.
func Lint(c Chart) error {
	values, err := c.values()
	if err != nil {
		return err
	}
	version, err := chartutil.ParseKubeVersion(KubeVersion)
	if err != nil {
		return err
	}
	lint := action.NewLint()
	lint.Strict, lint.KubeVersion, lint.Namespace = true, version, "default"
	return errors.Join(lint.Run([]string{c.Dir}, values).Errors...)
}
