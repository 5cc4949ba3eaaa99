// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package terraform tests the Terraform modules of this repository with the real OpenTofu, which it builds from its Go
// module, and with the real Terraform where that is installed. The clouds are not there: the providers are a fake
// (fakeprovider), which knows what attributes the real ones have and nothing of what a cloud would refuse.
//
// It is a Go module of its own, so that what it needs never becomes what hubhome needs.
package terraform
