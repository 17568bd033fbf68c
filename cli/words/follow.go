package words

import (
	"fmt"

	"relay/cli/fault"
	"relay/playback/api"
	"relay/relay/stream"
)

// What `relay follow` and `relay unfollow` say.
const (
	FollowAdded    = "%s (%s) is followed. relay list shows whether it is live; relay watch %s watches it."
	FollowSecret   = "The channel is private. Its secret stays in your folder, and out of the list that you may show."
	FollowRemoved  = "%s (%s) is not followed any more."
	FollowNobody   = "no channel is followed"
	FollowHow      = "relay follow LINK NAME follows one; so does a channel's ID in the place of the link, if it can be found otherwise"
	FollowNoName   = "relay follow needs a link or an ID, and a name to follow the channel by"
	FollowNameHint = "as in relay follow relay://CHANNEL@HOST:PORT late-night"
	FollowTaken    = "another name, or relay unfollow that one first"
	FollowNone     = "no channel of the name %q is followed"
	FollowThere    = "relay follow shows the list"
	FollowBadLine  = "The list of channels that you follow, %s"
	FollowImported = "%d channels are new, %d were there."
	FollowSkipped  = "left out: %s: %s"
	FollowNoImport = "read what shall be followed: %w"
	FollowHuge     = "%s has more than %d KiB"
	FollowKeep     = "keep the list of channels that are followed: %w"
	FollowRead     = "read the list of channels that are followed: %w"
	FollowAlone    = "relay follow --import takes a file, and nothing else"
	FollowWhere    = "Found   %s, which you follow"
)

// FollowTold tells of a followed channel that went live, or has ended.
func FollowTold(name string, airs bool) string {
	if airs {
		return fmt.Sprintf("%s, which you follow, is live: relay watch %s", name, name)
	}
	return fmt.Sprintf("%s, which you follow, has ended.", name)
}

// FollowEvent is that for programs.
func FollowEvent(name, id, short string, airs bool) api.Event {
	e := api.Event{Type: api.EventFollowed, Channel: id, Name: short, Followed: name, State: api.Stopped}
	if airs {
		e.State = api.Started
	}
	return e
}

// FollowUnread tells that the list cannot be read.
func FollowUnread(err error) string {
	return fmt.Sprintf("The list of channels that you follow cannot be read: %s", fault.Plain(err))
}

// ListNobodyHere stands above the followed channels where there is none on this network.
const ListNobodyHere = "There is no channel on this network."

// Behind the names of channels, where one is to be chosen.
const (
	OnThisNetwork = " on this network"
	Followed      = ", which you follow"
)

// FollowLost is the error of a followed channel of which no address is known.
func FollowLost(name string, id stream.ChannelID) error {
	return &fault.Error{
		Err:  fmt.Errorf("%s (%s), which you follow, is not on this network, and no address of it is known", name, id.Short()),
		Hint: "a link gives it addresses: relay follow LINK " + name,
		Code: fault.ExitNobody,
	}
}
