// Copyright (c) The hubhome authors. Licensed under the BSD 3-Clause License.

package main

import (
	"context"
	"fmt"
	"syscall"

	"github.com/hubhome/hubhome/vfs"
)

const notebookName = "penguins.ipynb"

// saveNotebook saves a notebook twice in ada's home, and one in grace's.
func (t *tour) saveNotebook(ctx context.Context) (string, error) {
	for _, user := range []string{"ada", "grace"} {
		home := t.users[user]
		for version := range 2 {
			text := fmt.Appendf(nil, `{"cells": [{"cell_type": "markdown", "source": "%s's version %d"}], "nbformat": 4, "nbformat_minor": 5}`+"\n", user, version+1)
			e, err := home.save(ctx, home.root, notebookName, text)
			if err != nil {
				return "", err
			}
			if err := owned(notebookName, &e.Attr, jovyan.UID, 0o644); err != nil {
				return "", err
			}
			t.stored[user+"/"+notebookName] = sumOf(text)
			if user == "ada" {
				t.notebook = e.Handle
			}
		}
	}
	e, err := t.users["ada"].fs.Lookup(ctx, jovyan, t.users["ada"].root, notebookName)
	if err == nil && e.Handle != t.notebook {
		err = fmt.Errorf("%s is not the file that was renamed to it", notebookName)
	}
	return "uid 1000 writes a new file, syncs it, renames it to " + notebookName + "; then again, over that", err
}

// squash writes as somebody whom the hub does not know.
func (t *tour) squash(ctx context.Context) (string, error) {
	home := *t.users["grace"]
	home.who = &vfs.Caller{UID: 4711, GID: 4711}
	data := []byte("an image with another user\n")
	e, err := home.save(ctx, home.root, "note.txt", data)
	if err != nil {
		return "", err
	}
	t.stored["grace/note.txt"] = sumOf(data)
	return "uid 4711 writes a file in grace's home: it belongs to 1000:1000 (squash: all)", owned("note.txt", &e.Attr, jovyan.UID, 0o644)
}

// noWayOut tries to leave a mount by names. What keeps a user in is the mount: a pod has nothing but its subPath.
func (t *tour) noWayOut(ctx context.Context) (string, error) {
	ada := t.users["ada"]
	_, err := ada.fs.Lookup(ctx, jovyan, ada.root, "..")
	if err := mustRefuse("a lookup of ..", err, syscall.EINVAL); err != nil {
		return "", err
	}
	if _, err := ada.fs.Parent(ctx, jovyan, ada.root); err != nil {
		if err := mustRefuse("a step up", err, syscall.ENOENT); err != nil {
			return "", err
		}
	}
	link, _, err := ada.fs.Symlink(ctx, jovyan, ada.root, "peek", "../grace/"+notebookName, vfs.SetAttr{})
	if err != nil {
		return "", err
	}
	target, err := ada.fs.ReadLink(ctx, jovyan, link.Handle)
	if err != nil {
		return "", err
	}
	_, err = ada.fs.Open(ctx, jovyan, link.Handle, vfs.Read)
	if err := mustRefuse("opening the link", err, syscall.ELOOP); err != nil {
		return "", err
	}
	return fmt.Sprintf("there is no “..” in ada's pod; a link to %s is text, not followed", target), nil
}

// apart tries to carry a file from one home to another, with a mount that has both.
func (t *tour) apart(ctx context.Context) (string, error) {
	_, err := t.hub.fs.Link(ctx, nodeRoot, t.notebook, t.users["grace"].root, "ours.ipynb")
	if err := mustRefuse("a hard link from one home into another", err, syscall.EXDEV); err != nil {
		return "", err
	}
	_, _, _, err = t.hub.fs.Rename(ctx, nodeRoot, t.users["ada"].root, notebookName, t.users["grace"].root, "ours.ipynb")
	if err := mustRefuse("a rename from one home into another", err, syscall.EXDEV); err != nil {
		return "", err
	}
	return "moving or linking a file from ada's home into grace's is refused, to admins as well", nil
}

// forgeHandle asks for a file by a handle that the server has not given out.
func (t *tour) forgeHandle(ctx context.Context) (string, error) {
	for i := range len(t.notebook) {
		forged := []byte(t.notebook)
		forged[i] ^= 1
		_, err := t.users["grace"].fs.GetAttr(ctx, vfs.Handle(forged))
		if err := mustRefuse(fmt.Sprintf("a handle with byte %d changed", i), err, syscall.EBADF, syscall.ESTALE); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("a file handle with a bit changed, tried for each of its %d bytes, is refused every time", len(t.notebook)), nil
}
