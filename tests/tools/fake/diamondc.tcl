source [file join $::reports .. fake common.tcl]

proc prj_project {command args} {
    note prj_project $command {*}$args
    if {$command ne "new"} { return }
    array set option $args
    if {![regexp {^LFE5U-\d\dF-\dBG381C$} $option(-dev)]} { error "unknown device $option(-dev)" }
    if {[file exists bitsmith.ldf]} { error "a project exists already" }
    close [open bitsmith.ldf w]
    file mkdir $option(-impl)
}

proc prj_src {command args} {
    note prj_src $command [file tail [lindex $args end]]
    need [lindex $args end]
}

proc prj_impl {command name value} { note prj_impl $command $name }

proc prj_run {stage args} {
    note prj_run $stage {*}[lrange $args 2 end]
    if {$stage eq "Map"} { leave {diamond ecp5.mrp} impl1/bitsmith_impl1.mrp }
    if {$stage ne "PAR"} { return }
    leave {diamond ecp5.par} impl1/bitsmith_impl1.par
    if {"PARTrace" in $args && $::mode ne "silent"} { leave {diamond ecp5.twr} impl1/bitsmith_impl1.twr }
}
