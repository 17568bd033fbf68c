package cli

import (
	"context"
	"time"

	"go.uber.org/zap"

	"relay/cli/doctor"
	"relay/cli/lan"
	"relay/relay/discovery"
)

// doctorLook is how long channels are looked for on this network: five queries and more,
// where answers take milliseconds.
const doctorLook = time.Second

// lookAroundOnce looks for channels for relay doctor.
func lookAroundOnce(ctx context.Context, d lan.Config) doctor.Around {
	if d.Off {
		return doctor.Around{Off: true}
	}
	return aroundOf(d.Look(ctx, zap.NewNop(), doctorLook, func(c *lan.Catalog) bool { return len(c.Channels) > 0 }))
}

func aroundOf(found *lan.Catalog, asked []discovery.Asked, err error) doctor.Around {
	a := doctor.Around{Err: err}
	a.Asked, _ = lan.AskedText(asked)
	for _, s := range found.Sorted() {
		a.Channels = append(a.Channels, doctor.Channel{ID: s.ID, Title: s.Title, At: s.Addrs[0]})
	}
	return a
}
