package words

import (
	"relay/ingest/flv"
	"relay/playback"
	"relay/playback/api"
	"relay/relay"
	"relay/relay/stream"
)

// This file holds the older events of relay source --json and relay watch --json, for one more
// version. Each is written beside the event that has replaced it. A script that waits for the
// older event still works, and one that knows the newer events skips those that have alias_of.
// To remove them, delete this file.

// Alias returns an older event, to be written beside the newer one.
func Alias(id stream.ChannelID, older, newer api.EventType) api.Event {
	return api.Event{Type: older, AliasOf: newer, Channel: id.String(), Name: id.Short()}
}

// LiveAlias returns the older event for a stream that begins or changes.
func LiveAlias(id stream.ChannelID, i flv.Info) api.Event {
	e := Alias(id, api.EventLive, api.EventMedia)
	e.Codec, e.Title = new(playback.CodecOf(i)), &i.Title
	return e
}

// AttachedAlias returns the older event for a parent that was found.
func AttachedAlias(id stream.ChannelID, a relay.Attached) api.Event {
	e := Alias(id, api.EventAttached, api.EventParent)
	e.Depth, e.Parent, e.ParentAddr = &a.Depth, new(a.Parent.ID.Tag()), FirstAddr(a.Parent)
	return e
}

// OrphanedAlias returns the older event for a parent that is gone.
func OrphanedAlias(id stream.ChannelID, o relay.Orphaned) api.Event {
	e := Alias(id, api.EventOrphaned, api.EventParentLost)
	e.Reason, e.By = o.End.Reason.String(), Side(o.End.By)
	return e
}
