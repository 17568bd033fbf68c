package relay

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"relay/relay/stream"
	"relay/tree"
)

func TestAStrangerLearnsWhetherANodeCarriesAChannel(t *testing.T) {
	_ = context.Background
	_ = errors.Is
	_ = netip.AddrPort{}
	_ = time.Second
	_ = stream.ChannelID{}
	_ = tree.ID{}
}
