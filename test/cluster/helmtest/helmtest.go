// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package helmtest does with a chart what people do with Helm, through Helm's own library: without a cluster it renders
// and lints it, and in a cluster it has its objects checked by the server, installs it, and does what comes after.
package helmtest
