source [file join $::reports .. fake common.tcl]

proc prj_create {args} {
    note prj_create {*}$args
    array set option $args
    if {![regexp {^iCE40UP5K-SG48I$} $option(-dev)]} { error "unknown device $option(-dev)" }
    if {[file exists bitsmith.rdf]} { error "a project exists already" }
    close [open bitsmith.rdf w]
    file mkdir $option(-impl)
}

proc prj_add_source {file} {
    note prj_add_source [file tail $file]
    need $file
}

proc prj_set_impl_opt {args} { note prj_set_impl_opt {*}[lrange $args 0 2] }
proc prj_save {} { note prj_save }
proc prj_close {} { note prj_close }

proc prj_run {stage args} {
    note prj_run $stage
    if {$stage eq "Map"} { leave {radiant ice40.mrp} impl_1/bitsmith_impl_1.mrp }
    if {$stage eq "PAR"} {
        leave {radiant ice40.par} impl_1/bitsmith_impl_1.par
        if {$::mode ne "silent"} { leave {radiant ice40.twr} impl_1/bitsmith_impl_1.twr }
    }
    if {$stage eq "Synthesis" && $::mode eq "license"} { error "License checkout failed for feature LSC_RADIANT" }
}
