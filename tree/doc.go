// Package tree decides one node's place in one channel's tree: whom to take the
// stream from, whom to give it to, and what to do when either goes away.
//
// [Node] is a pure state machine. It has no sockets, no clock, no goroutines and
// no logger; its owner tells it what happened and when, and carries out what it
// asks for:
//
//	n.Handle(now, event)      something happened
//	n.Advance(now)            time passed
//	n.Deadline()              call Advance no later than this
//	n.Poll() (Action, bool)   what to do, until there is nothing left
//
// Calls that come early, late or twice do no harm. The same seed, events and times
// give the same actions. The rules, their constants and the reasons are in
// design.md beside this file.
package tree
