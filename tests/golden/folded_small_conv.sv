// Written by Bitsmith; project.json says by which version and from which net.
// conv: conv 3x3x2x4 weights i3, 12% zero, strides (1, 1), pads ((1, 1), (0, 1)); act: requant half_even >> 3, saturate 0..7
// Takes 270 beats of 1 x i3; offers 30 beats of 2 x u3.
module small_conv (
    input  logic clk,
    input  logic resetn,
    input  logic [0:0] s_valid,
    output logic [0:0] s_ready,
    input  logic [2:0] s_data,
    output logic m0_valid,
    input  logic m0_ready,
    output logic [5:0] m0_data
);
  logic [0:0] room;
  logic issue;

  logic put_0;
  logic [17:0] q_0;
  bitsmith_mvu #(
      .GROUPS(1),
      .NF(2),
      .SF(18),
      .PE(2),
      .SIMD(1),
      .WA(3),
      .A_SIGN(1),
      .WW(3),
      .W_SIGN(1),
      .KIND(0),
      .ALONE(0),
      .ACC(9),
      .HAS_BIAS(1),
      .ROM_REG(0),
      .BLOCK(0),
      .BIAS_BLOCK(0),
      .WEIGHTS("small_conv_0_weights.hex"),
      .BIAS("small_conv_0_bias.hex")
  ) head (
      .clk(clk),
      .resetn(resetn),
      .s_valid(s_valid),
      .s_ready(s_ready),
      .s_data(s_data),
      .room(&room),
      .issue(issue),
      .put(put_0),
      .q(q_0)
  );

  logic put_1;
  logic [5:0] q_1;
  bitsmith_requant #(
      .SHIFT(3),
      .WY(3),
      .HALF_EVEN(1),
      .CLIP_LO(1'h1),
      .LO(64'h0),
      .CLIP_HI(1'h1),
      .HI(64'h7),
      .LANES(2),
      .WX(9),
      .X_SIGN(1),
      .Z(0),
      .HAS_ADD(1),
      .WA(4),
      .ADD(8'h44),
      .WT(9),
      .LAST(1)
  ) pipe_1 (
      .clk(clk),
      .resetn(resetn),
      .put(put_0),
      .d(q_0),
      .q_put(put_1),
      .q(q_1)
  );

  bitsmith_outlet #(
      .WIDTH(6),
      .DEPTH(27)
  ) outlet_0 (
      .clk(clk),
      .resetn(resetn),
      .room(room[0]),
      .issue(issue),
      .put(put_1),
      .d(q_1),
      .m_valid(m0_valid),
      .m_ready(m0_ready),
      .m_data(m0_data)
  );
`ifdef BITSMITH_TAPS
  bitsmith_tap #(
      .WIDTH(18),
      .FILE("small_conv_0.tap")
  ) tap_conv (
      .clk(clk),
      .put(put_0),
      .d(q_0)
  );
  bitsmith_tap #(
      .WIDTH(6),
      .FILE("small_conv_1.tap")
  ) tap_act (
      .clk(clk),
      .put(put_1),
      .d(q_1)
  );
`endif
endmodule
