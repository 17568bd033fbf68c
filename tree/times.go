package tree

import "time"

// Times of the tree; design.md says why each is what it is. Those that follow from
// the heartbeat are in beatTimes.
const (
	heartbeatInterval = 50 * time.Millisecond
	reportInterval    = 500 * time.Millisecond
	reportSpacing     = 20 * time.Millisecond
	childSilence      = 5 * time.Second // a child that reports nothing this long is dropped
	admissionTime     = 2 * time.Second // a granted slot waits this long for the pull
	leaveTime         = 2 * time.Second
)

// beatTimes are the times that grow with the heartbeat.
type beatTimes struct {
	heartbeat    time.Duration
	silence      time.Duration // a parent that says nothing this long is suspected
	deadAfter    time.Duration // and this long: given up
	stallSlack   time.Duration // woken later than this, the node itself was stalled
	staleFirst   time.Duration // a parent whose label stands still this long is doubted,
	stalePerLink time.Duration // later the deeper the node is
	// A parent without a parent has so long to find one before a child uses a link that
	// is ready, longer the deeper the child is: those below it are served again as soon
	// as it is.
	orphan        time.Duration
	orphanPerLink time.Duration
	report        time.Duration
	childSilence  time.Duration
	standby       time.Duration // between heartbeats on a standby link, and reports
	infeasible    time.Duration // how long a welcome that would risk a loop is held
}

func timesOf(heartbeat time.Duration) beatTimes {
	if heartbeat <= 0 {
		heartbeat = heartbeatInterval
	}
	h := heartbeat
	return beatTimes{
		heartbeat:     h,
		silence:       3 * h,
		deadAfter:     max(2*time.Second, 8*h),
		stallSlack:    h,
		staleFirst:    max(1*time.Second, 8*h),
		stalePerLink:  6 * h,
		orphan:        2 * h,
		orphanPerLink: h,
		report:        max(reportInterval, 4*h),
		childSilence:  max(childSilence, 10*h),
		standby:       max(1*time.Second, 10*h),
		infeasible:    max(1*time.Second, 8*h),
	}
}
