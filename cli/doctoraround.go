package cli

import (
	"context"
	"time"

	"go.uber.org/zap"

	"relay/cli/doctor"
	"relay/relay/discovery"
)

// doctorLook is how long channels are looked for on this network: five queries and more,
// where answers take milliseconds.
const doctorLook = time.Second

// lookAroundOnce looks for channels for relay doctor.
func lookAroundOnce(ctx context.Context, lan discoveryConfig) doctor.Around {
	if lan.off {
		return doctor.Around{Off: true}
	}
	return aroundOf(lan.look(ctx, zap.NewNop(), doctorLook, func(c *catalog) bool { return len(c.of) > 0 }))
}

func aroundOf(found *catalog, asked []discovery.Asked, err error) doctor.Around {
	a := doctor.Around{Err: err}
	a.Asked, _ = askedText(asked)
	for _, s := range found.sorted() {
		a.Channels = append(a.Channels, doctor.Channel{ID: s.ID, Title: s.Title, At: s.addrs[0]})
	}
	return a
}
