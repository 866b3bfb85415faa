# Vivado's commands as far as an overlay's build.tcl needs them.  Each notes itself in told.json, one list per line;
# what it is given must exist: files, cells, interfaces that were made before.
file delete told.json
set cells {}
set here_dir [pwd]

proc told {args} {
    set words {}
    foreach word $args { lappend words "\"[string map {\\ \\\\ \" \\\" \n { }} $word]\"" }
    set file [open [file join $::here_dir told.json] a]
    puts $file "\[[join $words ,]\]"
    close $file
}

proc made {pin} {
    if {[lindex [split $pin /] 0] ni $::cells} { error "there is no cell of the pin $pin" }
}

foreach name {
    set_property set_msg_config update_compile_order create_bd_design apply_bd_automation assign_bd_address
    validate_bd_design save_bd_design generate_target wait_on_run open_run report_utilization report_timing_summary
    current_fileset create_project
} {
    proc $name {args} "told $name {*}\$args"
}

proc current_project {} { return project }
proc current_fileset {} { return sources_1 }
proc get_runs {name} { return $name }
proc get_files {name} { return $name }
proc get_bd_cells {name} { made $name; return $name }
proc get_bd_pins {name} { made $name; return pin:$name }
proc get_bd_intf_pins {name} { made $name; return intf:$name }

proc get_board_parts {args} {
    told get_board_parts {*}$args
    if {[info exists ::no_board_files]} { return {} }
    return [list [string map {* vendor.com} [string range [lindex $args end] 0 end-1]]1.0]
}

proc add_files {args} {
    told add_files {*}$args
    if {![file isfile [lindex $args end]]} { error "cannot find [lindex $args end]" }
}

proc create_bd_cell {args} {
    told create_bd_cell {*}$args
    lappend ::cells [lindex $args end]
}

proc connect_bd_net {a b} { told connect_bd_net $a $b }
proc connect_bd_intf_net {a b} { told connect_bd_intf_net $a $b }

proc make_wrapper {args} {
    told make_wrapper {*}$args
    set name [file join $::here_dir overlay_wrapper.v]
    close [open $name w]
    return $name
}

proc launch_runs {args} {
    told launch_runs {*}$args
    if {[info exists ::failing]} { return }
    set base [file join $::here_dir overlay vivado]
    foreach name {demo.runs/impl_1/overlay_wrapper.bit demo.gen/sources_1/bd/overlay/hw_handoff/overlay.hwh} {
        file mkdir [file dirname [file join $base $name]]
        close [open [file join $base $name] w]
    }
}

proc get_property {name object} {
    if {$name eq "PROGRESS"} { return [expr {[info exists ::failing] ? "60%" : "100%"}] }
    if {$name eq "STATUS"} { return "route_design ERROR" }
    error "get_property $name"
}
