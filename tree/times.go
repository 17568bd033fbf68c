package tree

import "time"

// Times of the tree. design.md gives the reasons. The times that follow from the heartbeat
// are in beatTimes.
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
	silence      time.Duration // after so much of it a parent is suspected,
	deadAfter    time.Duration // and after so much it is given up
	stallSlack   time.Duration // a node that is woken so much too late was itself stalled
	staleFirst   time.Duration // a parent whose label stands still for so long is doubted;
	stalePerLink time.Duration // so much is added for each link of depth
	// orphan is how long a child waits for an orphaned parent to find another before it
	// uses a link that is ready, and orphanPerLink is added for each link of depth: the
	// nodes below the orphan are served again as soon as it is.
	orphan        time.Duration
	orphanPerLink time.Duration
	report        time.Duration
	childSilence  time.Duration
	standby       time.Duration // between heartbeats on a standby link, and between reports
	infeasible    time.Duration // how long a welcome is held that is not feasible yet
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
