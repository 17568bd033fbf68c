package relay

import "sync/atomic"

// callRefusal is why a node did not do what another one asked of it in a call, or did not believe what
// it said.
type callRefusal uint8

const (
	callTooOften callRefusal = iota // more than one link may ask for
	callBusy                        // as many are under way as may be, or one with the same node
	callUnlinked                    // this node has no link to the one that is called, or they cannot meet
	callUnable                      // calls do not get through to this node, or it would meet itself
	callAddress                     // nobody may be sent anything there
	callUnasked                     // an answer to nothing
	callRefusals
)

var callRefusalNames = [callRefusals]string{"too_often", "busy", "unlinked", "unable", "address", "unasked"}

// refusals counts what was refused in calls, by reason.
type refusals [callRefusals]atomic.Uint64

func (r *refusals) count(why callRefusal) { r[why].Add(1) }

// counts returns those reasons for which something was refused; nil if nothing was.
func (r *refusals) counts() map[string]uint64 {
	var m map[string]uint64
	for why, name := range callRefusalNames {
		if n := r[why].Load(); n > 0 {
			if m == nil {
				m = make(map[string]uint64)
			}
			m[name] = n
		}
	}
	return m
}
