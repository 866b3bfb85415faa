// Written by Bitsmith; project.json says by which version and from which net.
// Net tiny: the pipeline alone.  Every enabled clock edge takes a row; its result stands at y
// 2 enabled edges later.
module tiny_core (
    input  logic clk,
    input  logic ce,
    input  logic [11:0] x,  // 3 x signed 4 bits, element 0 in the lowest bits
    output logic [3:0] y  // 2 x signed 2 bits, element 0 in the lowest bits
);

  // x = input() : i4[3]; stages 0 to 0
  logic [11:0] v_x;
  assign v_x = x;

  // fc = dense(x) 3x2 weights i4, 17% zero : i8[2]; stages 0 to 0
  logic [15:0] v_fc;
  tiny_fc u_fc (
      .x(v_x),
      .y(v_fc)
  );

  // act = requant(fc) half_even >> 3, saturate 0..7 : u3*2^-1[2]; stages 0 to 1
  logic [5:0] v_act;
  tiny_act u_act (
      .clk(clk),
      .ce (ce),
      .x(v_fc),
      .y(v_act)
  );

  // steps = thresholds(act) 3 levels : i2[2]; stages 1 to 1
  logic [3:0] v_steps;
  tiny_steps u_steps (
      .x(v_act),
      .y(v_steps)
  );
  logic [3:0] d1_steps;  // waits 1 stage(s)
  bitsmith_delay #(.WIDTH(4), .DEPTH(1)) line_d1_steps (
      .clk(clk),
      .ce (ce),
      .d  (v_steps),
      .q  (d1_steps)
  );

  assign y = d1_steps;
endmodule
