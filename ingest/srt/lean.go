//go:build lean

package srt

import "context"

// Available reports whether this program was built with SRT.
const Available = false

// Run says that there is no SRT.
func (s *Server) Run(context.Context) error {
	s.Socket.Close()
	return ErrLean
}

// Fetch says that there is no SRT.
func (t *Target) Fetch(context.Context, func([]byte) error) error { return ErrLean }
