//go:build lean

package rtspin

import (
	"context"

	"go.uber.org/zap"

	"relay/ingest/flv"
)

// Fetch says that there is no RTSP in this program.
func Fetch(context.Context, Address, *zap.Logger, func(flv.Tag) error) error { return ErrLean }
