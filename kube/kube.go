// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

// Package kube gets a hub's PersistentVolume and its claim ready for Helm, which can make them and change them, but can
// neither move a volume, nor wait for one that is going, nor let a new claim have the volume of an old one.
//
// It owns what is asked of the Kubernetes API. What is to be done is decided by a function from what is there to one
// step (plan), without I/O; Prepare looks, takes the step, and looks again, so that it may be ended at any moment and
// started again. It never makes a volume or a claim, which is Helm's, never touches what Helm does not own, never takes
// a claim from a pod, and never speaks to an NFS server: the data stays where it is, and is not copied.
//
// One file for each noun: volume (what is wanted, and what is there), plan, prepare, manifest, refusal, client.
package kube
