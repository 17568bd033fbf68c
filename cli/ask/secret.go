package ask

import (
	"relay/cli/fault"
	"relay/relay"
	"relay/relay/store"
)

// WithSecret puts what is kept in the folder dir of a private channel's secret into a link to it, or the
// join part of that alone. No relay tells it over HTTP.
func WithSecret(link, dir string, joinOnly bool) (string, error) {
	inv, err := relay.ParseInvite(link)
	if err != nil {
		return "", fault.Fail("is it a relay of this version?", "the relay tells a link that makes no sense: %w", err)
	}
	if inv.Access, err = store.SecretOf(dir, inv.Channel); err != nil {
		return "", fault.Fail("", "secret of channel %s: %w", inv.Channel.Short(), err)
	}
	if !inv.Access.Private() {
		return "", fault.Fail("copy the link that relay source or relay watch printed; --config names another folder", "the channel is private, and its secret is not kept in this folder")
	}
	if joinOnly {
		inv = inv.JoinOnly()
	}
	return inv.Link(), nil
}
