// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package helmtest does with a chart what people do with Helm, through Helm's own library: it renders and lints it
// without a cluster.
package helmtest
