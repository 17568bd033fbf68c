//go:build !linux && !darwin

package relay

import "syscall"

// shortSegments needs a socket option that this system does not have.
func shortSegments(string, string, syscall.RawConn) error { return nil }

const hasShortSegments = false
