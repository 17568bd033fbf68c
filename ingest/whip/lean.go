//go:build lean

package whip

import (
	"context"
	"net"
	"net/netip"

	"go.uber.org/zap"
)

// Able says whether this program takes media over WebRTC.
const Able = false

// Media is nothing in a program without WebRTC.
type Media struct{}

// Config is as in a program with WebRTC.
type Config struct {
	Listener  net.Listener
	Addresses []netip.Addr
	Stranger  func()
	Log       *zap.Logger
}

// Open fails with [ErrLean].
func Open(Config) (*Media, error) { return nil, ErrLean }

// Listener returns none.
func (m *Media) Listener() net.Listener { return nil }

// Answer fails with [ErrLean].
func (m *Media) Answer(string, Sink) (*Call, error) { return nil, ErrLean }

// Close does nothing.
func (m *Media) Close() {}

// Film fails with [ErrLean].
func Film(string, Sink, *zap.Logger) (*Call, error) { return nil, ErrLean }

// Call is none.
type Call struct{}

// Answer returns nothing.
func (c *Call) Answer() string { return "" }

// Run fails with [ErrLean].
func (c *Call) Run(context.Context, func()) error { return ErrLean }
