//go:build !linux && !darwin && !freebsd && !windows

package relay

import "syscall"

func sharePort(string, string, syscall.RawConn) error { return nil }

const sharesPorts = false

func limitHops(syscall.RawConn, bool, int) error { return nil }
